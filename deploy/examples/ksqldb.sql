-- ksqlDB: labels by minute. Written from its documentation; never run here.
CREATE STREAM scored (
    root_id VARCHAR KEY,
    `type` VARCHAR,
    run VARCHAR,
    tweet_id VARCHAR,
    version INT,
    posted_at VARCHAR,
    score STRUCT<label VARCHAR, confidence DOUBLE>
) WITH (kafka_topic = 'tweets.scored', key_format = 'KAFKA', value_format = 'JSON');

CREATE TABLE labels_by_minute AS
SELECT score->label AS label, count_distinct(run || ' ' || tweet_id) AS tweets
FROM scored WINDOW TUMBLING (SIZE 1 MINUTE)
WHERE `type` = 'TweetScored'
GROUP BY score->label
EMIT CHANGES;
