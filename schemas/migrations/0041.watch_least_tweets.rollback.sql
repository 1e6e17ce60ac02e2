ALTER TABLE watch_runs DROP COLUMN least_tweets;
