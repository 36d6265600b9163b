-- Keys that codes and refresh tokens are bound to, as RFC 7638 thumbprints, and the proofs that were used (RFC 9449).
ALTER TABLE authorization_requests ADD COLUMN dpop_jkt TEXT;
ALTER TABLE authorization_codes ADD COLUMN dpop_jkt TEXT;
-- NULL for tokens of confidential clients: they are bound to their client.
ALTER TABLE refresh_tokens ADD COLUMN dpop_jkt TEXT;

CREATE TABLE dpop_proofs (
    -- SHA-256 of the key's thumbprint and jti.
    digest     BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    -- When the proof is refused for its age, so that it need not be remembered any more.
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX dpop_proofs_by_expiry ON dpop_proofs (expires_at);
