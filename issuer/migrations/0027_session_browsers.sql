-- In which browser, and from which address, a session was begun: for the person who looks through their sessions.
ALTER TABLE sessions ADD COLUMN user_agent TEXT CHECK (length(user_agent) <= 256);
ALTER TABLE sessions ADD COLUMN ip_address TEXT;
