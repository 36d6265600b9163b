-- Signing keys. The private half is sealed under the master key with key_id as associated data.
CREATE TABLE signing_keys (
    key_id             TEXT    NOT NULL PRIMARY KEY,
    algorithm          TEXT    NOT NULL,
    sealed_private_key BLOB    NOT NULL,
    created_at         INTEGER NOT NULL,
    signs_from         INTEGER NOT NULL,
    signs_until        INTEGER,
    published_until    INTEGER
) STRICT, WITHOUT ROWID;
