-- A remembered answer is for one resource. What was remembered before named none, so people are asked once more.
DROP TABLE consents;

CREATE TABLE consents (
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT    NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    -- The identifier of the resource, as it stands in `aud`.
    audience   TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, client_id, audience)
) STRICT, WITHOUT ROWID;

CREATE INDEX consents_by_client ON consents (client_id);
