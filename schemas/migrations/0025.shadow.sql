-- What a challenger says of a sample of the tweets, beside what the model that serves says.
-- depends: 0012.people_labels

CREATE TABLE shadow_scores (
    run text COLLATE "C" NOT NULL,
    root_id text COLLATE "C" NOT NULL,
    version smallint NOT NULL,
    author_id text COLLATE "C",
    day date NOT NULL,
    posted_at timestamptz NOT NULL,
    rules text[] NOT NULL,
    model_sha256 text COLLATE "C" NOT NULL,
    label text COLLATE "C" NOT NULL,
    confidence double precision NOT NULL,
    challenger_sha256 text COLLATE "C" NOT NULL,
    challenger_name text NOT NULL,
    challenger_label text COLLATE "C" NOT NULL,
    challenger_confidence double precision NOT NULL,
    scored_at timestamptz NOT NULL,
    drawn_at timestamptz,
    PRIMARY KEY (root_id, run, version, challenger_sha256)
);
CREATE INDEX shadow_scores_pairs ON shadow_scores (run, challenger_sha256, model_sha256);
CREATE INDEX shadow_scores_author ON shadow_scores (author_id) WHERE author_id IS NOT NULL;
CREATE INDEX shadow_scores_age ON shadow_scores (scored_at);
COMMENT ON TABLE shadow_scores IS 'One pair of answers for each sampled tweet; retweets are left out';
COMMENT ON COLUMN shadow_scores.label IS 'What the serving model itself says, whatever decision is applied';
COMMENT ON COLUMN shadow_scores.drawn_at IS 'When it was put before people because both models disagree, in the order of audit_rank';
