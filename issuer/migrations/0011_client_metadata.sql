-- What a client is registered with beyond the columns: a JSON object in the words of RFC 7591.
ALTER TABLE clients ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}' CHECK (json_type(metadata) = 'object');
