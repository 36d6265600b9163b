-- Clients that prove themselves by signed assertions (private_key_jwt): their keys, inline or at a URL, and the
-- assertions that were used.
ALTER TABLE clients ADD COLUMN jwks TEXT CHECK (json_type(jwks) = 'object');
ALTER TABLE clients ADD COLUMN jwks_uri TEXT;

CREATE TABLE client_assertions (
    client_id  TEXT    NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    -- SHA-256 of jti.
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    -- When the assertion is refused for its age, so that it need not be remembered any more.
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);
