-- Decisions, which one of them each run uses, and by which one each stored label was chosen.
-- depends: 0001.tables

CREATE TABLE decisions (
    decision_id text COLLATE "C" PRIMARY KEY,
    run text COLLATE "C" NOT NULL,
    decision json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    in_use boolean NOT NULL DEFAULT false,
    used_at timestamptz
);
CREATE UNIQUE INDEX decisions_in_use ON decisions (run) WHERE in_use;
CREATE INDEX decisions_run ON decisions (run, created_at);
COMMENT ON COLUMN decisions.decision_id IS 'The first 16 hexadecimal digits of the SHA-256 of the column decision';
COMMENT ON COLUMN decisions.decision IS 'Its canonical JSON: biases, parent model, figures';
COMMENT ON COLUMN decisions.in_use IS 'Whether scoring was told to decide the tweets of its run by it';
COMMENT ON COLUMN decisions.used_at IS 'When it was first used or applied to rows; rows may name it from then on';

ALTER TABLE scores ADD COLUMN decision_id text COLLATE "C";
COMMENT ON COLUMN scores.label IS 'As it counts: the model''s likeliest label, or the one that a decision chose';
COMMENT ON COLUMN scores.probabilities IS 'The model''s own, whatever decision chose the label';
COMMENT ON COLUMN scores.decision_id IS 'The decision that chose the label and its confidence; empty: none';

CREATE OR REPLACE VIEW scored_tweets AS
SELECT
    t.run, t.root_id, t.tweet_id, t.version, t.posted_at, t.edited_at, t.text, t.language,
    t.author_id, t.rules, t.hashtags, t.human_label,
    s.label, s.confidence, s.probabilities, s.scored_at,
    m.name AS model_name, m.version AS model_version, m.sha256 AS model_sha256,
    s.decision_id
FROM tweets AS t
JOIN scores AS s
    ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
JOIN models AS m ON m.model_id = s.model_id;
