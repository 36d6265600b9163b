-- Passkeys (WebAuthn): what the issuer keeps of the credential that a factor of the kind `passkey` is.
CREATE TABLE passkeys (
    factor_id     TEXT    NOT NULL PRIMARY KEY REFERENCES factors (id) ON DELETE CASCADE,
    credential_id BLOB    NOT NULL UNIQUE,
    -- Public key, algorithm and backup flags. Nothing in it is secret.
    credential    TEXT    NOT NULL CHECK (json_type(credential) = 'object'),
    -- The last signature counter, or 0 for ever where the authenticator keeps none.
    counter       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- By what authenticators know a person: random, since it is stored on devices of all kinds.
CREATE TABLE user_handles (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    handle  BLOB NOT NULL UNIQUE CHECK (length(handle) = 16)
) STRICT, WITHOUT ROWID;

-- Ceremonies that were answered. Their state is sealed and with the browser; here stands only that it is used up.
CREATE TABLE used_ceremonies (
    digest     BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    -- When the ceremony is refused for its age, so that it need not be remembered any more.
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX used_ceremonies_by_expiry ON used_ceremonies (expires_at);
