ALTER TABLE alarms DROP COLUMN taken_back_at;
