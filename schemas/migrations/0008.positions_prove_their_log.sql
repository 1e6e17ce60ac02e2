-- A position is known by the last message before it, and earlier ones are remembered to go back to.
-- depends: 0001.tables

ALTER TABLE positions
    ADD COLUMN last_offset bigint,
    ADD COLUMN last_timestamp_ms bigint,
    ADD COLUMN last_sha256 text COLLATE "C";
COMMENT ON COLUMN positions.last_offset IS 'Of the message that the two columns beside it describe';

CREATE TABLE earlier_positions (
    consumer text COLLATE "C" NOT NULL,
    topic_id text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    last_offset bigint NOT NULL,
    last_timestamp_ms bigint NOT NULL,
    last_sha256 text COLLATE "C" NOT NULL,
    PRIMARY KEY (consumer, topic_id, partition, last_offset)
);
COMMENT ON TABLE earlier_positions IS 'Where a consumer goes back to if a log has lost its end';

ALTER TABLE replay_files ADD COLUMN log_ends jsonb;
COMMENT ON COLUMN replay_files.log_ends IS 'The last messages in Kafka when the position was taken';
