-- Single sign-on: identity providers of organizations, the domains whose people they sign in, and sign-ins on their way.
CREATE TABLE sso_connections (
    id                    TEXT    NOT NULL PRIMARY KEY,
    name                  TEXT    NOT NULL UNIQUE,
    preset                TEXT    NOT NULL CHECK (preset IN ('generic', 'google', 'entra_id', 'cognito')),
    -- iss of its ID tokens, to the character.
    issuer                TEXT    NOT NULL,
    -- By what name the provider knows this issuer.
    client_id             TEXT    NOT NULL,
    client_authentication TEXT    NOT NULL CHECK (client_authentication IN ('none', 'client_secret_basic', 'client_secret_post')),
    -- Sealed under the master key.
    client_secret         BLOB,
    -- JSON lists of texts.
    scopes                TEXT    NOT NULL CHECK (json_type(scopes) = 'array'),
    required_amr          TEXT    NOT NULL CHECK (json_type(required_amr) = 'array'),
    required_acr          TEXT    NOT NULL CHECK (json_type(required_acr) = 'array'),
    -- What becomes of people who have no account, and the role of those who get one.
    unknown_people        TEXT    NOT NULL CHECK (unknown_people IN ('refuse', 'create')),
    default_role          TEXT,
    -- A JSON list of objects: claim, value, role. The first that fits counts.
    role_rules            TEXT    NOT NULL CHECK (json_type(role_rules) = 'array'),
    -- Whether a rule, or the default, may make somebody an administrator.
    grants_administration INTEGER NOT NULL CHECK (grants_administration IN (0, 1)),
    -- What counts of the provider's discovery document: a JSON object.
    provider              TEXT    NOT NULL CHECK (json_type(provider) = 'object'),
    checked_at            INTEGER NOT NULL,
    -- When the document is fetched anew.
    refresh_at            INTEGER NOT NULL,
    -- When somebody declared that the provider asks everybody for more than one factor, and who.
    mfa_attested_at       INTEGER,
    mfa_attested_by       TEXT,
    enabled               INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    created_at            INTEGER NOT NULL,
    CHECK ((client_secret IS NULL) = (client_authentication = 'none')),
    CHECK ((mfa_attested_at IS NULL) = (mfa_attested_by IS NULL)),
    CHECK (enabled = 0 OR mfa_attested_at IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE sso_domains (
    connection_id TEXT    NOT NULL REFERENCES sso_connections (id) ON DELETE CASCADE,
    -- In lower case.
    domain        TEXT    NOT NULL,
    -- What the TXT record of its owner says. No secret: the record is public.
    token         TEXT    NOT NULL,
    verified_at   INTEGER,
    verified_by   TEXT    CHECK (verified_by IN ('dns', 'administrator')),
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (connection_id, domain),
    CHECK ((verified_at IS NULL) = (verified_by IS NULL))
) STRICT, WITHOUT ROWID;

-- Many may ask for a domain; one has it.
CREATE UNIQUE INDEX sso_domains_verified ON sso_domains (domain) WHERE verified_at IS NOT NULL;

-- Who a person is at a provider.
CREATE TABLE sso_links (
    connection_id TEXT    NOT NULL REFERENCES sso_connections (id) ON DELETE CASCADE,
    -- sub of the ID token.
    subject       TEXT    NOT NULL,
    user_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER NOT NULL,
    PRIMARY KEY (connection_id, subject)
) STRICT, WITHOUT ROWID;

-- At one connection a person is one subject: an address that was given to somebody else opens nothing.
CREATE UNIQUE INDEX sso_links_by_user ON sso_links (user_id, connection_id);

-- Browsers that were sent to a provider.
CREATE TABLE sso_attempts (
    -- SHA-256 of state.
    digest         BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    -- SHA-256 of the cookie that the browser got with it.
    browser_digest BLOB    NOT NULL CHECK (length(browser_digest) = 32),
    connection_id  TEXT    NOT NULL REFERENCES sso_connections (id) ON DELETE CASCADE,
    nonce          TEXT    NOT NULL,
    -- The person has to have been authenticated there after this instant, where that was asked.
    fresh_after    INTEGER,
    expires_at     INTEGER NOT NULL,
    -- When an answer came: once.
    consumed_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX sso_attempts_by_connection ON sso_attempts (connection_id);
CREATE INDEX sso_attempts_by_expiry ON sso_attempts (expires_at);

-- Browsers in which somebody signed in by a provider: what signing out there takes.
CREATE TABLE sso_sign_ins (
    -- SHA-256 of the cookie that the browser had on its way.
    browser_digest BLOB    NOT NULL PRIMARY KEY CHECK (length(browser_digest) = 32),
    connection_id  TEXT    NOT NULL REFERENCES sso_connections (id) ON DELETE CASCADE,
    user_id        TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Sealed under the master key.
    id_token       BLOB    NOT NULL,
    expires_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sso_sign_ins_by_connection ON sso_sign_ins (connection_id);
CREATE INDEX sso_sign_ins_by_user ON sso_sign_ins (user_id);
CREATE INDEX sso_sign_ins_by_expiry ON sso_sign_ins (expires_at);
