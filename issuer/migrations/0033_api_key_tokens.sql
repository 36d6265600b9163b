-- Access tokens that API keys were exchanged for. They belong to no client: their key ends them.
ALTER TABLE access_tokens ADD COLUMN api_key_id TEXT;

CREATE INDEX access_tokens_by_api_key ON access_tokens (api_key_id) WHERE api_key_id IS NOT NULL;

CREATE TRIGGER access_tokens_end_with_their_api_key AFTER UPDATE OF revoked_at ON api_keys
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    UPDATE access_tokens SET revoked_at = NEW.revoked_at WHERE api_key_id = NEW.id AND revoked_at IS NULL;
END;
