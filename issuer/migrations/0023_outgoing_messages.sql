-- Mail and short messages that are still to be sent.
CREATE TABLE outgoing_messages (
    id         TEXT    NOT NULL PRIMARY KEY,
    channel    TEXT    NOT NULL CHECK (channel IN ('mail', 'sms')),
    -- Whom it is for, for the audit trail. Not a reference: they may be gone by the time it is sent.
    user_id    TEXT,
    -- Address and content, sealed with the id as associated data.
    sealed     BLOB    NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    -- When it is tried next.
    due_at     INTEGER NOT NULL,
    -- When it is not worth sending any more.
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX outgoing_messages_by_due ON outgoing_messages (due_at);
