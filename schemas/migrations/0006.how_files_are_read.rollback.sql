ALTER TABLE replay_files DROP COLUMN read_as;
