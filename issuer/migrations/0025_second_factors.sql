-- Second factors, the codes that stand in for a lost one, sign-ins that still lack one, and the browsers in which it is not
-- asked for each time.
CREATE TABLE factors (
    id           TEXT    NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind         TEXT    NOT NULL CHECK (kind IN ('totp', 'sms', 'passkey')),
    -- What its person calls it.
    name         TEXT    NOT NULL,
    -- What only the issuer may read: a seed, a telephone number. Sealed, with the id as context.
    sealed       BLOB,
    -- What is no secret.
    detail       TEXT    CHECK (json_type(detail) = 'object'),
    created_at   INTEGER NOT NULL,
    -- NULL until its person has used it once; such a one protects nothing.
    confirmed_at INTEGER,
    last_used_at INTEGER,
    -- The last time step whose one-time password was taken (RFC 6238 section 5.2).
    last_step    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX factors_by_user ON factors (user_id);
CREATE INDEX factors_unconfirmed ON factors (created_at) WHERE confirmed_at IS NULL;

CREATE TABLE recovery_codes (
    -- SHA-256 of the code's letters, which have 80 random bits.
    digest     BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX recovery_codes_by_user ON recovery_codes (user_id);

-- Somebody has shown a first proof of who they are, and nothing is open to them yet.
CREATE TABLE sign_ins (
    -- SHA-256 of the cookie's value.
    digest           BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    user_id          TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    methods          TEXT    NOT NULL CHECK (json_type(methods) = 'array'),
    authenticated_at INTEGER NOT NULL,
    -- The authorization request for which it was begun. Not a reference: it may outlive the request.
    request_digest   BLOB    CHECK (length(request_digest) = 32),
    -- Wrong answers so far.
    tries            INTEGER NOT NULL DEFAULT 0,
    expires_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sign_ins_by_user ON sign_ins (user_id);
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);

CREATE TABLE remembered_devices (
    id             TEXT    NOT NULL PRIMARY KEY,
    -- SHA-256 of the cookie's value. Several people may share a browser.
    digest         BLOB    NOT NULL CHECK (length(digest) = 32),
    user_id        TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- What its person knows it by.
    label          TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    last_factor_at INTEGER NOT NULL,
    last_seen_at   INTEGER NOT NULL,
    -- When it can count no more, whatever happens.
    expires_at     INTEGER NOT NULL,
    UNIQUE (digest, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX remembered_devices_by_user ON remembered_devices (user_id);
CREATE INDEX remembered_devices_by_expiry ON remembered_devices (expires_at);

-- When a second factor was last given in this browser; NULL when none was, or when nobody was there for too long since.
ALTER TABLE sessions ADD COLUMN second_factor_at INTEGER;
-- The authorization request for which it was given in a session that was there already.
ALTER TABLE sessions ADD COLUMN factor_request_digest BLOB CHECK (length(factor_request_digest) = 32);
ALTER TABLE sessions ADD COLUMN device_id TEXT REFERENCES remembered_devices (id) ON DELETE SET NULL;

CREATE INDEX sessions_by_device ON sessions (device_id) WHERE device_id IS NOT NULL;

-- When a person answered the offer of a second factor by "not now".
ALTER TABLE users ADD COLUMN factor_declined_at INTEGER;
