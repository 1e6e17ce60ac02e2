-- Where a replay stands within a tar: positions count its files too.
-- depends: 0001.tables

ALTER TABLE replay_files
    ADD COLUMN members_done bigint NOT NULL DEFAULT 0,
    ADD COLUMN records_before_member bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN replay_files.members_done IS 'Files within a tar that are wholly confirmed';
COMMENT ON COLUMN replay_files.records_before_member IS 'Of records_done, those of such files';
