-- A score says whether its model was made for the tweet's language, and those in others are counted.
-- Rows of before have no mark and count nowhere in it.
-- depends: 0001.tables 0013.decisions

ALTER TABLE scores ADD COLUMN language_known boolean;
COMMENT ON COLUMN scores.language_known IS 'False: a guess, in a language that the model does not know';

CREATE TABLE unknown_language_rollups (
    run text COLLATE "C" NOT NULL,
    granularity text COLLATE "C" NOT NULL CHECK (granularity IN ('minute', 'hour', 'day')),
    bucket_start timestamptz NOT NULL,
    language text COLLATE "C" NOT NULL,
    tweets bigint NOT NULL,
    PRIMARY KEY (run, granularity, bucket_start, language)
);
COMMENT ON TABLE unknown_language_rollups IS 'Tweets whose score says that its model does not know their language';

DROP VIEW scored_tweets;
CREATE VIEW scored_tweets AS
SELECT
    t.run, t.root_id, t.tweet_id, t.version, t.posted_at, t.edited_at, t.text, t.language,
    t.author_id, t.rules, t.hashtags, t.human_label,
    s.label, s.confidence, s.probabilities, s.scored_at,
    m.name AS model_name, m.version AS model_version, m.sha256 AS model_sha256,
    s.decision_id, s.language_known
FROM tweets AS t
JOIN scores AS s
    ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
JOIN models AS m ON m.model_id = s.model_id;
COMMENT ON VIEW scored_tweets IS 'What people query: each tweet with the score that counts';
