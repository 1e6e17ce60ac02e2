ALTER TABLE labels DROP COLUMN stored_at;
