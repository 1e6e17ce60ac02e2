-- Which arm of a split a score was of: several models then share the tweets.
-- depends: 0013.decisions 0016.known_languages 0024.overrides

ALTER TABLE scores ADD COLUMN arm text COLLATE "C";
COMMENT ON COLUMN scores.arm IS 'champion or challenger where models shared the tweets; empty: one model answered all';

CREATE OR REPLACE VIEW scored_tweets AS
SELECT
    t.run, t.root_id, t.tweet_id, t.version, t.posted_at, t.edited_at, t.text, t.language,
    t.author_id, t.rules, t.hashtags, t.human_label,
    s.label, s.confidence, s.probabilities, s.scored_at,
    m.name AS model_name, m.version AS model_version, m.sha256 AS model_sha256,
    s.decision_id, s.language_known, s.override_name, s.label_without, s.arm
FROM tweets AS t
JOIN scores AS s
    ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
JOIN models AS m ON m.model_id = s.model_id;
