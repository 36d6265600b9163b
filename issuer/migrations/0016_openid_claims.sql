-- What else is known of a person: a JSON object in the words of OpenID Connect Core section 5.1.
ALTER TABLE users ADD COLUMN profile TEXT NOT NULL DEFAULT '{}' CHECK (json_type(profile) = 'object');

-- The claims that were asked for one by one (OpenID Connect Core section 5.5), and for which answer each.
ALTER TABLE authorization_requests ADD COLUMN claims TEXT NOT NULL DEFAULT '{}' CHECK (json_type(claims) = 'object');
ALTER TABLE grants ADD COLUMN claims TEXT NOT NULL DEFAULT '{}' CHECK (json_type(claims) = 'object');
-- The names of those to which the person agreed.
ALTER TABLE consents ADD COLUMN claims TEXT NOT NULL DEFAULT '[]' CHECK (json_type(claims) = 'array');

-- `sub` as the client of a grant is told it.
ALTER TABLE grants ADD COLUMN subject TEXT NOT NULL DEFAULT '';
UPDATE grants SET subject = user_id;

-- Identifiers of people that one sector alone is told (OpenID Connect Core section 8.1): random, made once, kept for ever.
CREATE TABLE pairwise_subjects (
    -- A host, or the client_id of a client without one.
    sector  TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    subject TEXT NOT NULL UNIQUE,
    PRIMARY KEY (sector, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX pairwise_subjects_by_user ON pairwise_subjects (user_id);
