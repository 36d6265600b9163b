-- Where a client's people may go once they have signed out.
ALTER TABLE clients ADD COLUMN post_logout_redirect_uris TEXT NOT NULL DEFAULT '[]'
    CHECK (json_type(post_logout_redirect_uris) = 'array');

-- The subject of id_token_hint: nobody else may answer the request. Not a reference: the hint may outlive the account.
ALTER TABLE authorization_requests ADD COLUMN hinted_user_id TEXT;
-- How the answer travels.
ALTER TABLE authorization_requests ADD COLUMN response_mode TEXT NOT NULL DEFAULT 'query'
    CHECK (response_mode IN ('query', 'form_post'));
