-- Registered applications. Lists are JSON arrays of text: they are read and written whole, and their order counts.
CREATE TABLE clients (
    client_id     TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    -- SHA-256 of the client secret; NULL for public clients.
    secret_digest BLOB    CHECK (length(secret_digest) = 32),
    grant_types   TEXT    NOT NULL CHECK (json_type(grant_types) = 'array'),
    redirect_uris TEXT    NOT NULL CHECK (json_type(redirect_uris) = 'array'),
    scope         TEXT    NOT NULL,
    pkce_required INTEGER NOT NULL CHECK (pkce_required IN (0, 1)),
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
