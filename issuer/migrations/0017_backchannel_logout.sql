-- Back-channel logout: sessions and grants get names that clients are told of, and who is to hear of an end is queued.
ALTER TABLE sessions ADD COLUMN id TEXT NOT NULL DEFAULT '';
UPDATE sessions SET id = 'session-' || lower(hex(randomblob(16)));
-- The session of session_digest. It stays when the grant moves to the same person's next session.
ALTER TABLE grants ADD COLUMN session_id TEXT;
UPDATE grants SET session_id = (SELECT id FROM sessions WHERE sessions.digest = grants.session_digest);

CREATE TABLE logout_notifications (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id  TEXT    NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    -- Not references: both may be gone by the time the client hears of it.
    user_id    TEXT    NOT NULL,
    session_id TEXT    NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    -- When it is tried next.
    due_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX logout_notifications_by_due ON logout_notifications (due_at);
CREATE INDEX logout_notifications_by_client ON logout_notifications (client_id);
