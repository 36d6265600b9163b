-- Whose tokens are refused altogether, if they are from before an instant. Published in every status list.

CREATE TABLE denials (
    kind       TEXT    NOT NULL CHECK (kind IN ('subject', 'client', 'api_key', 'signing_key')),
    -- The claim sub, client_id or api_key_id, or the kid.
    name       TEXT    NOT NULL,
    -- The earliest iat that is accepted.
    not_before INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- Then nothing lives any more that it could mean.
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX denials_by_expiry ON denials (expires_at);

CREATE TRIGGER denials_are_noted_when_made AFTER INSERT ON denials
BEGIN
    INSERT INTO audit_changes (kind, id, after)
    VALUES ('denial', NEW.kind || ' ' || NEW.name, json_object('notBefore', NEW.not_before, 'expiresAt', NEW.expires_at));
END;

CREATE TRIGGER denials_are_noted_when_changed AFTER UPDATE ON denials
BEGIN
    INSERT INTO audit_changes (kind, id, before, after)
    VALUES ('denial', NEW.kind || ' ' || NEW.name,
        json_object('notBefore', OLD.not_before, 'expiresAt', OLD.expires_at),
        json_object('notBefore', NEW.not_before, 'expiresAt', NEW.expires_at));
END;
