-- What `murmur watch` counts and remembers. Counts are JSON as text: equal counts are equal bytes.
-- depends: 0008.positions_prove_their_log 0012.people_labels

CREATE TABLE watch_runs (
    run text COLLATE "C" PRIMARY KEY,
    window_s integer NOT NULL,
    lateness_s integer NOT NULL,
    closed_until timestamptz,
    last_counted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN watch_runs.window_s IS 'Of the settings when the run began, or was recomputed';
COMMENT ON COLUMN watch_runs.closed_until IS 'Windows that end by then are judged; what comes for them is late';
COMMENT ON COLUMN watch_runs.last_counted_at IS 'By the database''s clock; an idle run closes its windows';

CREATE TABLE watch_rules (
    run text COLLATE "C" NOT NULL,
    rule text COLLATE "C" NOT NULL,
    PRIMARY KEY (run, rule)
);
COMMENT ON TABLE watch_rules IS 'The rules that have windows of their own: at most MURMUR_WATCH_RULES of a run';

CREATE TABLE watch_watermarks (
    run text COLLATE "C" NOT NULL,
    topic_id text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (run, topic_id, partition)
);
COMMENT ON TABLE watch_watermarks IS 'The latest posted_at that was read of a run in a partition';

CREATE TABLE watch_recomputed (
    run text COLLATE "C" NOT NULL,
    topic_id text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (run, topic_id, partition)
);
COMMENT ON TABLE watch_recomputed IS 'What stands before these offsets was counted of the stored rows';

CREATE TABLE watch_windows (
    run text COLLATE "C" NOT NULL,
    rule text COLLATE "C" NOT NULL,
    model_sha256 text COLLATE "C" NOT NULL,
    start timestamptz NOT NULL,
    on_time json NOT NULL,
    late json NOT NULL,
    PRIMARY KEY (run, start, rule, model_sha256)
);
CREATE INDEX watch_windows_series ON watch_windows (run, rule, model_sha256, start);
COMMENT ON COLUMN watch_windows.rule IS 'A rule''s tag, or empty: all tweets, whatever they matched';
COMMENT ON COLUMN watch_windows.on_time IS 'What is judged';
COMMENT ON COLUMN watch_windows.late IS 'What came after its partition, or the watch, was done with the window';

CREATE TABLE watch_seen (
    run text COLLATE "C" NOT NULL,
    window_start timestamptz NOT NULL,
    chunk smallint NOT NULL,
    ranks bytea NOT NULL,
    PRIMARY KEY (run, window_start, chunk)
);
COMMENT ON TABLE watch_seen IS 'The tweets that open windows have counted, as hashes: none counts twice';
COMMENT ON COLUMN watch_seen.ranks IS 'audit_rank of the root ids, 8 bytes each, the lowest byte first';

CREATE TABLE watch_states (
    run text COLLATE "C" NOT NULL,
    rule text COLLATE "C" NOT NULL,
    model_sha256 text COLLATE "C" NOT NULL,
    first_start timestamptz NOT NULL,
    learns_from timestamptz NOT NULL,
    state json NOT NULL,
    PRIMARY KEY (run, rule, model_sha256)
);
COMMENT ON COLUMN watch_states.first_start IS 'Of its first window that was judged';
COMMENT ON COLUMN watch_states.learns_from IS 'The day from which its first reference is made';
COMMENT ON COLUMN watch_states.state IS 'What its detectors remember';

CREATE TABLE watch_references (
    run text COLLATE "C" NOT NULL,
    rule text COLLATE "C" NOT NULL,
    model_sha256 text COLLATE "C" NOT NULL,
    span_from timestamptz NOT NULL,
    span_until timestamptz NOT NULL,
    used boolean NOT NULL,
    chosen boolean NOT NULL,
    tweets bigint NOT NULL,
    reference json NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, rule, model_sha256, span_from, span_until)
);
CREATE UNIQUE INDEX watch_references_used ON watch_references (run, rule, model_sha256) WHERE used;
COMMENT ON COLUMN watch_references.chosen IS 'A person named the span; else it was learned of the first whole days';
COMMENT ON COLUMN watch_references.used IS 'Whether windows are held against it from now on';

CREATE TABLE watch_samples (
    run text COLLATE "C" NOT NULL,
    window_start timestamptz NOT NULL,
    rank bigint NOT NULL,
    root_id text COLLATE "C" NOT NULL,
    author_id text COLLATE "C",
    words bigint[] NOT NULL,
    PRIMARY KEY (run, window_start, rank, root_id)
);
CREATE INDEX watch_samples_root ON watch_samples (root_id);
CREATE INDEX watch_samples_author ON watch_samples (author_id) WHERE author_id IS NOT NULL;
COMMENT ON TABLE watch_samples IS 'The tweets of the lowest ranks in each window, without retweets';
COMMENT ON COLUMN watch_samples.rank IS 'audit_rank of the root id';
COMMENT ON COLUMN watch_samples.words IS 'Distinct words, hashed';

CREATE TABLE watch_audits (
    run text COLLATE "C" NOT NULL,
    root_id text COLLATE "C" NOT NULL,
    version smallint NOT NULL,
    PRIMARY KEY (root_id, run, version)
);
CREATE INDEX watch_audits_run ON watch_audits (run);
COMMENT ON TABLE watch_audits IS 'Audits that the detector of errors has taken in';
