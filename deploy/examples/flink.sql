-- Flink SQL: labels by minute. Written from its documentation; never run here.
CREATE TABLE scored (
    `type` STRING,
    run STRING,
    tweet_id STRING,
    version INT,
    posted_at TIMESTAMP_LTZ(3),
    score ROW<label STRING, confidence DOUBLE>,
    WATERMARK FOR posted_at AS posted_at - INTERVAL '1' MINUTE
) WITH (
    'connector' = 'kafka',
    'topic' = 'tweets.scored',
    'properties.bootstrap.servers' = 'kafka:9092',
    'properties.group.id' = 'flink-example',
    'properties.isolation.level' = 'read_committed',
    'scan.startup.mode' = 'earliest-offset',
    'format' = 'json',
    'json.ignore-parse-errors' = 'false',
    'json.timestamp-format.standard' = 'ISO-8601'
);

SELECT window_start, first_score.label AS label, count(*) AS tweets
FROM TABLE(TUMBLE(
    TABLE (
        SELECT posted_at, label FROM (
            SELECT posted_at, score.label AS label,
                   row_number() OVER (PARTITION BY run, tweet_id, version ORDER BY proctime()) AS nth
            FROM scored WHERE `type` = 'TweetScored'
        ) WHERE nth = 1
    ), DESCRIPTOR(posted_at), INTERVAL '1' MINUTE)) AS first_score
GROUP BY window_start, first_score.label;
