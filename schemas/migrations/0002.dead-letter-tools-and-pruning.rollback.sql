DROP TABLE kept_days;
ALTER TABLE dead_letters DROP COLUMN note, DROP COLUMN status_at;
