-- Assertions of trusted issuers that were used (RFC 7523 section 2.1), so that none is used twice.
CREATE TABLE issuer_assertions (
    issuer     TEXT    NOT NULL,
    -- SHA-256 of jti.
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    -- When the assertion is refused for its age, so that it need not be remembered any more.
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX issuer_assertions_by_expiry ON issuer_assertions (expires_at);
