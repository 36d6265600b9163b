-- Clients that registered themselves (RFC 7591), how they manage that (RFC 7592), and the tokens that let them.

-- SHA-256 of the registration access token; NULL for clients that the operator registered.
ALTER TABLE clients ADD COLUMN registration_token_digest BLOB CHECK (length(registration_token_digest) = 32);
-- The most it may ask for when it changes its registration; NULL where the configuration says so.
ALTER TABLE clients ADD COLUMN registration_ceiling TEXT CHECK (json_type(registration_ceiling) = 'object');
-- When it is deleted if it has had no token by then. NULL once it had one, and for clients of the operator.
ALTER TABLE clients ADD COLUMN unused_until INTEGER;

CREATE UNIQUE INDEX clients_by_registration_token ON clients (registration_token_digest)
    WHERE registration_token_digest IS NOT NULL;
CREATE INDEX clients_never_used ON clients (unused_until) WHERE unused_until IS NOT NULL;

-- Initial access tokens (RFC 7591 section 3).
CREATE TABLE registration_tokens (
    id          TEXT    NOT NULL PRIMARY KEY,
    digest      BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    description TEXT    NOT NULL,
    -- The most that a client may ask for by it.
    scope       TEXT    NOT NULL,
    grant_types TEXT    NOT NULL CHECK (json_type(grant_types) = 'array'),
    uses_left   INTEGER NOT NULL CHECK (uses_left >= 0),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX registration_tokens_by_expiry ON registration_tokens (expires_at);
