-- Where a client's people may go once they have signed out; and whom an authorization request is about.
ALTER TABLE clients ADD COLUMN post_logout_redirect_uris TEXT NOT NULL DEFAULT '[]'
    CHECK (json_type(post_logout_redirect_uris) = 'array');

-- The subject of id_token_hint: nobody else may answer the request. Not a reference: the hint may outlive the account.
ALTER TABLE authorization_requests ADD COLUMN hinted_user_id TEXT;
