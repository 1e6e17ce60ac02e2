-- When a label came in: people may have given it long before, in another tool.
-- depends: 0012.people_labels

ALTER TABLE labels ADD COLUMN stored_at timestamptz;
ALTER TABLE labels ALTER COLUMN stored_at SET DEFAULT clock_timestamp();
COMMENT ON COLUMN labels.stored_at IS 'By PostgreSQL''s clock, of the label that stands; empty: before this was noted';
