-- Links by which people set their password.
CREATE TABLE account_links (
    -- SHA-256 of the token in the link.
    digest      BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    user_id     TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose     TEXT    NOT NULL CHECK (purpose IN ('invitation', 'reset', 'first_administrator')),
    -- The address it was made for: a link is good for nobody who has another one by now.
    email       TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    -- When a password was set by it, or a newer one took its place.
    consumed_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX account_links_by_user ON account_links (user_id, purpose);
CREATE INDEX account_links_by_expiry ON account_links (expires_at);
