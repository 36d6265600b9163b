-- EHR launches (SMART App Launch 2.2 "EHR launch"), and the context that a launch or a person's choice fixes.
CREATE TABLE launches (
    -- SHA-256 of the launch value.
    digest      BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    -- The app that is launched.
    client_id   TEXT    NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    -- The EHR: a client too.
    launched_by TEXT    NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    -- The only person who may answer the app's request; NULL for whoever the EHR's people are.
    user_id     TEXT    REFERENCES users (id) ON DELETE CASCADE,
    -- The FHIR base that the app is told as iss: a resource's identifier.
    audience    TEXT    NOT NULL,
    -- What the app is told: a JSON object.
    context     TEXT    NOT NULL CHECK (json_type(context) = 'object'),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    -- When an authorization was given with it: once.
    consumed_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX launches_by_client ON launches (client_id);
CREATE INDEX launches_by_launcher ON launches (launched_by);
CREATE INDEX launches_by_user ON launches (user_id);
CREATE INDEX launches_by_expiry ON launches (expires_at);

-- The launch that came with a request. No reference: a request outlives nothing but its own ten minutes.
ALTER TABLE authorization_requests ADD COLUMN launch_digest BLOB CHECK (length(launch_digest) = 32);
-- What the launch says, and what the person has chosen so far: a JSON object.
ALTER TABLE authorization_requests ADD COLUMN context TEXT NOT NULL DEFAULT '{}' CHECK (json_type(context) = 'object');
-- What stands beside the tokens of a launched app, apart from patient and encounter: a JSON object.
ALTER TABLE grants ADD COLUMN launch_parameters TEXT NOT NULL DEFAULT '{}' CHECK (json_type(launch_parameters) = 'object');
