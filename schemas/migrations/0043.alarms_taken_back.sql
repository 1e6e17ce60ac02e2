-- When somebody took back that they have seen an alarm: listeners are told of it by its time.
-- depends: 0015.alarms

ALTER TABLE alarms ADD COLUMN taken_back_at timestamptz;
COMMENT ON COLUMN alarms.taken_back_at IS 'When an acknowledgement was last taken back; it is gone then';
