ALTER TABLE dead_letters DROP COLUMN named_ids;
