ALTER TABLE alarms DROP COLUMN compared_with;
DELETE FROM watch_references WHERE compared_with <> 'stream';
ALTER TABLE watch_references DROP COLUMN compared_with;
