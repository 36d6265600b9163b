-- People who may sign in with a password although their domain has a connection: for the day on which the provider is away.
ALTER TABLE users ADD COLUMN local_sign_in INTEGER NOT NULL DEFAULT 0 CHECK (local_sign_in IN (0, 1));
