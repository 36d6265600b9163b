-- Requests that a client pushed (RFC 9126) and devices that wait for a person elsewhere (RFC 8628).
ALTER TABLE clients ADD COLUMN push_required INTEGER NOT NULL DEFAULT 0 CHECK (push_required IN (0, 1));

ALTER TABLE authorization_requests ADD COLUMN prompt_none INTEGER NOT NULL DEFAULT 0 CHECK (prompt_none IN (0, 1));
-- Until when its request_uri may be used; NULL when it came through the browser.
ALTER TABLE authorization_requests ADD COLUMN pushed_until INTEGER;

CREATE TABLE device_authorizations (
    -- SHA-256 of the device code.
    digest           BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    -- Eight letters, without the dash. In clear: it names the request and gives nothing to whoever knows it.
    user_code        TEXT    NOT NULL UNIQUE,
    client_id        TEXT    NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    scope            TEXT    NOT NULL,
    audiences        TEXT    NOT NULL CHECK (json_type(audiences) = 'array'),
    interval_seconds INTEGER NOT NULL,
    last_polled_at   INTEGER,
    -- When a person answered; without a grant the answer was no.
    decided_at       INTEGER,
    grant_id         TEXT    UNIQUE REFERENCES grants (id) ON DELETE SET NULL,
    redeemed_at      INTEGER,
    expires_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX device_authorizations_by_client ON device_authorizations (client_id);
CREATE INDEX device_authorizations_by_expiry ON device_authorizations (expires_at);
