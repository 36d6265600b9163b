-- A client that lost the answer to a refresh may ask again until the new token is used; what was lost is dead then.

-- The digest of the token that this one was exchanged for; NULL for the first of its family.
ALTER TABLE refresh_tokens ADD COLUMN predecessor_digest BLOB CHECK (length(predecessor_digest) = 32);
-- When another was given in its place before it was ever used.
ALTER TABLE refresh_tokens ADD COLUMN replaced_at INTEGER;
-- The access token that was given together with it.
ALTER TABLE refresh_tokens ADD COLUMN access_token_id TEXT;

-- No family ever has two tokens that count.
CREATE UNIQUE INDEX refresh_tokens_current ON refresh_tokens (grant_id)
    WHERE rotated_at IS NULL AND replaced_at IS NULL;
