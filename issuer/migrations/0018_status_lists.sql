-- Status lists: an access token is told by which bit of which list it can be seen to be revoked.
CREATE TABLE status_lists (
    -- Random characters, which end the list's URI.
    id         TEXT    NOT NULL PRIMARY KEY,
    -- How many tokens have a place in it.
    entries    INTEGER NOT NULL CHECK (entries > 0),
    -- When the last token that can have been given a place has expired; the list is gone then.
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX status_lists_by_expiry ON status_lists (expires_at);

-- A record of a token must outlive client, person and grant, since only the record says that its bit is set. So it is
-- made anew, with references that become NULL where they deleted it.
CREATE TABLE access_tokens_with_status (
    token_id     TEXT    NOT NULL PRIMARY KEY,
    client_id    TEXT    REFERENCES clients (client_id) ON DELETE SET NULL,
    -- NULL when the client acts for itself.
    grant_id     TEXT    REFERENCES grants (id) ON DELETE SET NULL,
    -- In whose name; NULL when the client acts for itself.
    user_id      TEXT    REFERENCES users (id) ON DELETE SET NULL,
    -- NULL in tokens from before there were lists.
    status_list  TEXT    REFERENCES status_lists (id),
    status_index INTEGER,
    expires_at   INTEGER NOT NULL,
    -- The one column that says whether a token is dead before its time: what introspection and status lists go by.
    revoked_at   INTEGER,
    CHECK ((status_list IS NULL) = (status_index IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO access_tokens_with_status (token_id, client_id, grant_id, user_id, expires_at, revoked_at)
    SELECT a.token_id, a.client_id, a.grant_id, g.user_id, a.expires_at, a.revoked_at
    FROM access_tokens a LEFT JOIN grants g ON g.id = a.grant_id;

DROP TABLE access_tokens;
ALTER TABLE access_tokens_with_status RENAME TO access_tokens;

CREATE INDEX access_tokens_by_client ON access_tokens (client_id);
CREATE INDEX access_tokens_by_grant ON access_tokens (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX access_tokens_by_user ON access_tokens (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);
CREATE UNIQUE INDEX access_tokens_by_status ON access_tokens (status_list, status_index) WHERE status_list IS NOT NULL;
CREATE INDEX access_tokens_revoked ON access_tokens (status_list, status_index, expires_at)
    WHERE revoked_at IS NOT NULL;

-- Whatever ends what a token stands on revokes the token, by whichever statement it comes. A trigger is not told what
-- time it is for whoever deletes; that the column is set is what counts.
CREATE TRIGGER access_tokens_end_with_their_grant AFTER UPDATE OF ended_at ON grants WHEN NEW.ended_at IS NOT NULL
BEGIN
    UPDATE access_tokens SET revoked_at = NEW.ended_at WHERE grant_id = NEW.id AND revoked_at IS NULL;
END;

CREATE TRIGGER access_tokens_end_with_their_person AFTER UPDATE OF deactivated_at ON users
WHEN NEW.deactivated_at IS NOT NULL
BEGIN
    UPDATE access_tokens SET revoked_at = NEW.deactivated_at WHERE user_id = NEW.id AND revoked_at IS NULL;
END;

CREATE TRIGGER access_tokens_end_with_a_deleted_grant BEFORE DELETE ON grants
BEGIN
    UPDATE access_tokens SET revoked_at = 0 WHERE grant_id = OLD.id AND revoked_at IS NULL;
END;

CREATE TRIGGER access_tokens_end_with_a_deleted_person BEFORE DELETE ON users
BEGIN
    UPDATE access_tokens SET revoked_at = 0 WHERE user_id = OLD.id AND revoked_at IS NULL;
END;

CREATE TRIGGER access_tokens_end_with_a_deleted_client BEFORE DELETE ON clients
BEGIN
    UPDATE access_tokens SET revoked_at = 0 WHERE client_id = OLD.client_id AND revoked_at IS NULL;
END;
