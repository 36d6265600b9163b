-- A token's record costs a page of the log for each place in the file that it touches, so it touches fewer. The places of
-- tokens in status lists need no index of their own: a list belongs to the process that opened it, which gives none twice.
-- And a person's tokens are found by their grants, where they have one.
CREATE TABLE access_tokens_close_together (
    token_id     TEXT    NOT NULL PRIMARY KEY,
    client_id    TEXT    REFERENCES clients (client_id) ON DELETE SET NULL,
    -- NULL when the client acts for itself.
    grant_id     TEXT    REFERENCES grants (id) ON DELETE SET NULL,
    -- In whose name; NULL when the client acts for itself. Not a reference, which would need an index of all tokens.
    user_id      TEXT,
    -- NULL in tokens from before there were lists. Not a reference: a list goes when its last token has expired.
    status_list  TEXT,
    status_index INTEGER,
    expires_at   INTEGER NOT NULL,
    -- The one column that says whether a token is dead before its time: what introspection and status lists go by.
    revoked_at   INTEGER,
    CHECK ((status_list IS NULL) = (status_index IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO access_tokens_close_together
    SELECT token_id, client_id, grant_id, user_id, status_list, status_index, expires_at, revoked_at FROM access_tokens;

DROP TRIGGER access_tokens_end_with_their_grant;
DROP TRIGGER access_tokens_end_with_their_person;
DROP TRIGGER access_tokens_end_with_a_deleted_grant;
DROP TRIGGER access_tokens_end_with_a_deleted_person;
DROP TRIGGER access_tokens_end_with_a_deleted_client;
DROP TABLE access_tokens;
ALTER TABLE access_tokens_close_together RENAME TO access_tokens;

CREATE INDEX access_tokens_by_client ON access_tokens (client_id);
CREATE INDEX access_tokens_by_grant ON access_tokens (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX access_tokens_by_user ON access_tokens (user_id) WHERE user_id IS NOT NULL AND grant_id IS NULL;
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);
CREATE INDEX access_tokens_revoked ON access_tokens (status_list, status_index, expires_at)
    WHERE revoked_at IS NOT NULL;

-- As before: whatever ends what a token stands on revokes the token. A person's grants that are deleted with the person
-- revoke their tokens themselves.
CREATE TRIGGER access_tokens_end_with_their_grant AFTER UPDATE OF ended_at ON grants WHEN NEW.ended_at IS NOT NULL
BEGIN
    UPDATE access_tokens SET revoked_at = NEW.ended_at WHERE grant_id = NEW.id AND revoked_at IS NULL;
END;

CREATE TRIGGER access_tokens_end_with_their_person AFTER UPDATE OF deactivated_at ON users
WHEN NEW.deactivated_at IS NOT NULL
BEGIN
    UPDATE access_tokens SET revoked_at = NEW.deactivated_at
    WHERE user_id = NEW.id AND grant_id IS NULL AND revoked_at IS NULL;
    UPDATE access_tokens SET revoked_at = NEW.deactivated_at
    WHERE grant_id IN (SELECT id FROM grants WHERE user_id = NEW.id) AND revoked_at IS NULL;
END;

CREATE TRIGGER access_tokens_end_with_a_deleted_grant BEFORE DELETE ON grants
BEGIN
    UPDATE access_tokens SET revoked_at = 0 WHERE grant_id = OLD.id AND revoked_at IS NULL;
END;

CREATE TRIGGER access_tokens_end_with_a_deleted_person BEFORE DELETE ON users
BEGIN
    UPDATE access_tokens SET revoked_at = 0
    WHERE user_id = OLD.id AND grant_id IS NULL AND revoked_at IS NULL;
    UPDATE access_tokens SET revoked_at = 0
    WHERE grant_id IN (SELECT id FROM grants WHERE user_id = OLD.id) AND revoked_at IS NULL;
END;

CREATE TRIGGER access_tokens_end_with_a_deleted_client BEFORE DELETE ON clients
BEGIN
    UPDATE access_tokens SET revoked_at = 0 WHERE client_id = OLD.client_id AND revoked_at IS NULL;
END;
