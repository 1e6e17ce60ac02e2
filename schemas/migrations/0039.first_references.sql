-- What the watch holds a stream against until that has a reference of its own.
-- depends: 0014.watch 0015.alarms

ALTER TABLE watch_references ADD COLUMN compared_with text NOT NULL DEFAULT 'stream'
    CHECK (compared_with IN ('stream', 'validation'));
COMMENT ON COLUMN watch_references.compared_with IS 'stream: a span of it; validation: the texts that the model was validated on';

ALTER TABLE alarms ADD COLUMN compared_with text NOT NULL DEFAULT 'stream';
COMMENT ON COLUMN alarms.compared_with IS 'What was expected: as in watch_references';
