-- People and the browsers in which they are signed in.
CREATE TABLE users (
    id              TEXT    NOT NULL PRIMARY KEY,
    -- Trimmed and in lower case.
    email           TEXT    NOT NULL UNIQUE,
    name            TEXT    NOT NULL,
    -- Argon2id in PHC string form.
    password_hash   TEXT,
    role            TEXT,
    fhir_user       TEXT,
    practitioner_id TEXT,
    organization_id TEXT,
    created_at      INTEGER NOT NULL,
    deactivated_at  INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    -- SHA-256 of the cookie's value.
    digest           BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    user_id          TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    authenticated_at INTEGER NOT NULL,
    methods          TEXT    NOT NULL CHECK (json_type(methods) = 'array'),
    last_seen_at     INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- What people agreed that clients may have.
CREATE TABLE consents (
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT    NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    scope      TEXT    NOT NULL,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX consents_by_client ON consents (client_id);
