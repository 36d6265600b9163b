-- From an authorization request to the tokens that come of it. Everything issued in a person's name hangs on a grant.
CREATE TABLE authorization_requests (
    digest              BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    client_id           TEXT    NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    -- A URI accepted against a registered one, as the request named it.
    redirect_uri        TEXT    NOT NULL,
    redirect_uri_given  INTEGER NOT NULL CHECK (redirect_uri_given IN (0, 1)),
    scope               TEXT    NOT NULL,
    state               TEXT,
    nonce               TEXT,
    challenge           TEXT,
    audiences           TEXT    NOT NULL CHECK (json_type(audiences) = 'array'),
    authenticated_after INTEGER,
    consent_forced      INTEGER NOT NULL CHECK (consent_forced IN (0, 1)),
    login_hint          TEXT,
    expires_at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX authorization_requests_by_client ON authorization_requests (client_id);
CREATE INDEX authorization_requests_by_expiry ON authorization_requests (expires_at);

CREATE TABLE grants (
    id                TEXT    NOT NULL PRIMARY KEY,
    client_id         TEXT    NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    user_id           TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    scope             TEXT    NOT NULL,
    audiences         TEXT    NOT NULL CHECK (json_type(audiences) = 'array'),
    patient_id        TEXT,
    encounter_id      TEXT,
    authenticated_at  INTEGER NOT NULL,
    methods           TEXT    NOT NULL CHECK (json_type(methods) = 'array'),
    nonce             TEXT,
    -- The session in which it was given. Not a reference: a grant may outlive it.
    session_digest    BLOB    CHECK (length(session_digest) = 32),
    -- Whether it ends with that session (online_access).
    ends_with_session INTEGER NOT NULL CHECK (ends_with_session IN (0, 1)),
    created_at        INTEGER NOT NULL,
    -- When its code was redeemed; NULL while it is dormant.
    activated_at      INTEGER,
    ended_at          INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_session ON grants (session_digest) WHERE session_digest IS NOT NULL;

CREATE TABLE authorization_codes (
    digest             BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    grant_id           TEXT    NOT NULL UNIQUE REFERENCES grants (id) ON DELETE CASCADE,
    redirect_uri       TEXT    NOT NULL,
    redirect_uri_given INTEGER NOT NULL CHECK (redirect_uri_given IN (0, 1)),
    challenge          TEXT,
    expires_at         INTEGER NOT NULL,
    -- When it was redeemed or spent. The row stays as long as its grant, so that a replay is known for one.
    consumed_at        INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE refresh_tokens (
    digest     BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    grant_id   TEXT    NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- When it was exchanged for its successor.
    rotated_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_by_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE access_tokens (
    token_id   TEXT    NOT NULL PRIMARY KEY,
    client_id  TEXT    NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    -- NULL when the client acts for itself.
    grant_id   TEXT    REFERENCES grants (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX access_tokens_by_client ON access_tokens (client_id);
CREATE INDEX access_tokens_by_grant ON access_tokens (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);
