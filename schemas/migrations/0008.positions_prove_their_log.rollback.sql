ALTER TABLE replay_files DROP COLUMN log_ends;
DROP TABLE earlier_positions;
ALTER TABLE positions DROP COLUMN last_offset, DROP COLUMN last_timestamp_ms, DROP COLUMN last_sha256;
