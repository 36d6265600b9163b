-- The audit trail. Lines are added and never changed; identifiers are kept as they were, whatever becomes of what they
-- name, so nothing here is a reference.
CREATE TABLE audit_events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    action     TEXT    NOT NULL,
    outcome    TEXT    NOT NULL CHECK (outcome IN ('success', 'failure')),
    user_id    TEXT,
    client_id  TEXT,
    ip_address TEXT,
    method     TEXT,
    reason     TEXT
) STRICT;

CREATE TRIGGER audit_events_are_never_changed BEFORE UPDATE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit events are never changed');
END;
