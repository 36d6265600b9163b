-- The authorization request for which somebody signed in: such a session is a fresh one for that request. Not a reference:
-- the session outlives the request.
ALTER TABLE sessions ADD COLUMN request_digest BLOB CHECK (length(request_digest) = 32);
