-- In `live` a root id is one tweet, whatever its day: on which day each stands.
-- Rows of older releases that break this are taken back, with what the figures hold of them: the
-- last version stays, and of two of the same version the one that came first.
-- depends: 0002.dead-letter-tools-and-pruning

CREATE TEMPORARY TABLE repeated_roots ON COMMIT DROP AS
SELECT root_id, day FROM (
    SELECT root_id, day, row_number() OVER (
        PARTITION BY root_id ORDER BY version DESC, received_at, day
    ) AS place
    FROM tweets WHERE run = 'live'
) AS numbered WHERE place > 1;

CREATE TEMPORARY TABLE repeated_tweets ON COMMIT DROP AS
SELECT t.posted_at, t.rules, t.hashtags, s.label, s.model_id,
       round(s.confidence * 1000000)::bigint AS confidence_micros
FROM repeated_roots AS r
JOIN tweets AS t ON t.run = 'live' AND t.root_id = r.root_id AND t.day = r.day
JOIN scores AS s ON s.run = 'live' AND s.root_id = r.root_id AND s.day = r.day AND s.counts;

UPDATE rollups AS r
SET tweets = r.tweets - gone.tweets, confidence_micros = r.confidence_micros - gone.micros
FROM (
    SELECT granularity, date_trunc(granularity, posted_at, 'UTC') AS bucket_start, rule, label,
           model_id, count(*) AS tweets, sum(confidence_micros)::bigint AS micros
    FROM repeated_tweets
    CROSS JOIN unnest(ARRAY['minute', 'hour', 'day']) AS granularity
    CROSS JOIN unnest(array_prepend(''::text, rules)) AS rule
    GROUP BY 1, 2, 3, 4, 5
) AS gone
WHERE r.run = 'live' AND r.granularity = gone.granularity AND r.bucket_start = gone.bucket_start
    AND r.rule = gone.rule AND r.label = gone.label AND r.model_id = gone.model_id;
DELETE FROM rollups WHERE run = 'live' AND tweets = 0 AND EXISTS (SELECT FROM repeated_tweets);

UPDATE hashtag_rollups AS r
SET tweets = r.tweets - gone.tweets
FROM (
    SELECT granularity, date_trunc(granularity, posted_at, 'UTC') AS bucket_start, hashtag, label,
           count(*) AS tweets
    FROM repeated_tweets
    CROSS JOIN unnest(ARRAY['minute', 'hour', 'day']) AS granularity
    CROSS JOIN unnest(hashtags) AS hashtag
    GROUP BY 1, 2, 3, 4
) AS gone
WHERE r.run = 'live' AND r.granularity = gone.granularity AND r.bucket_start = gone.bucket_start
    AND r.hashtag = gone.hashtag AND r.label = gone.label;
DELETE FROM hashtag_rollups WHERE run = 'live' AND tweets = 0 AND EXISTS (SELECT FROM repeated_tweets);

DELETE FROM scores AS s USING repeated_roots AS r
WHERE s.run = 'live' AND s.root_id = r.root_id AND s.day = r.day;
DELETE FROM tweets AS t USING repeated_roots AS r
WHERE t.run = 'live' AND t.root_id = r.root_id AND t.day = r.day;

CREATE TABLE live_roots (
    root_id text COLLATE "C" NOT NULL,
    day date NOT NULL
);
INSERT INTO live_roots SELECT root_id, day FROM tweets WHERE run = 'live' ORDER BY root_id;
ALTER TABLE live_roots ADD PRIMARY KEY (root_id);
-- Days come nearly in the order of the rows: for pruning that is enough, and costs inserts nothing.
CREATE INDEX live_roots_day ON live_roots USING brin (day) WITH (autosummarize = on);
COMMENT ON TABLE live_roots IS 'On which day each tweet of live is stored; one row for each of them';
