-- Which word override gave a stored label, and what stood there without it.
-- depends: 0013.decisions 0016.known_languages 0023.feedback

ALTER TABLE scores ADD COLUMN override_name text COLLATE "C";
ALTER TABLE scores ADD COLUMN override_version text COLLATE "C";
ALTER TABLE scores ADD COLUMN label_without text;
ALTER TABLE scores ADD COLUMN confidence_without double precision;
CREATE INDEX scores_overridden ON scores (override_name) WHERE override_name IS NOT NULL;
COMMENT ON COLUMN scores.override_name IS 'The override that gave the label; empty: none did';
COMMENT ON COLUMN scores.override_version IS 'The first 16 digits of the hash of the overrides in use';
COMMENT ON COLUMN scores.label_without IS 'The label that the model, or a decision, had given';

CREATE OR REPLACE VIEW scored_tweets AS
SELECT
    t.run, t.root_id, t.tweet_id, t.version, t.posted_at, t.edited_at, t.text, t.language,
    t.author_id, t.rules, t.hashtags, t.human_label,
    s.label, s.confidence, s.probabilities, s.scored_at,
    m.name AS model_name, m.version AS model_version, m.sha256 AS model_sha256,
    s.decision_id, s.language_known, s.override_name, s.label_without
FROM tweets AS t
JOIN scores AS s
    ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
JOIN models AS m ON m.model_id = s.model_id;
