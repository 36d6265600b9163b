-- API keys: credentials of integrations that act for themselves. The key is no secret; of its secret only the digest is kept.
-- After a rotation the secret of before may go on for a while. A revoked key stays, so that the audit trail can be read.
CREATE TABLE api_keys (
    id              TEXT    NOT NULL PRIMARY KEY,
    api_key         TEXT    NOT NULL UNIQUE,
    name            TEXT    NOT NULL,
    scope           TEXT    NOT NULL,
    secret_digest   BLOB    NOT NULL CHECK (length(secret_digest) = 32),
    previous_digest BLOB    CHECK (length(previous_digest) = 32),
    previous_until  INTEGER,
    created_by      TEXT,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    last_used_at    INTEGER,
    revoked_at      INTEGER,
    CHECK ((previous_digest IS NULL) = (previous_until IS NULL))
) STRICT, WITHOUT ROWID;
