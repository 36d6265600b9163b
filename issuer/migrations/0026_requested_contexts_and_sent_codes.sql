-- How strongly a request wants its person authenticated (OpenID Connect Core sections 3.1.2.1 and 5.5.1.1): the values of acr
-- of which one will do, and whether it insists.
ALTER TABLE authorization_requests ADD COLUMN acr_values TEXT CHECK (json_type(acr_values) = 'array');
ALTER TABLE authorization_requests ADD COLUMN acr_essential INTEGER NOT NULL DEFAULT 0 CHECK (acr_essential IN (0, 1));

-- Codes that were sent to telephones.
CREATE TABLE sent_codes (
    -- SHA-256 of the cookie of the sign-in or session for which it was sent; a new code replaces the one before.
    binding    BLOB    NOT NULL PRIMARY KEY CHECK (length(binding) = 32),
    factor_id  TEXT    NOT NULL REFERENCES factors (id) ON DELETE CASCADE,
    -- Keyed, since a code has few digits.
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    -- Answers so far.
    tries      INTEGER NOT NULL DEFAULT 0,
    sent_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sent_codes_by_factor ON sent_codes (factor_id);
CREATE INDEX sent_codes_by_expiry ON sent_codes (expires_at);

-- How many were sent lately, for whom and where to.
CREATE TABLE sent_messages (
    id        TEXT    NOT NULL PRIMARY KEY,
    user_id   TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The telephone number, keyed.
    recipient BLOB    NOT NULL CHECK (length(recipient) = 32),
    sent_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sent_messages_by_user ON sent_messages (user_id, sent_at);
CREATE INDEX sent_messages_by_recipient ON sent_messages (recipient, sent_at);
CREATE INDEX sent_messages_by_time ON sent_messages (sent_at);
