ALTER TABLE replay_files DROP COLUMN members_done, DROP COLUMN records_before_member;
