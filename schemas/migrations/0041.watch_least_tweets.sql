-- How many tweets the watch asked of a window, so that whoever reads can say which had too few.
-- depends: 0014.watch

ALTER TABLE watch_runs ADD COLUMN least_tweets integer;
COMMENT ON COLUMN watch_runs.least_tweets IS 'Of the settings when windows were last judged; NULL: not since this is noted';
