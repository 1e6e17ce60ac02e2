-- The tables of the house. Ids are text: X's are decimal, archives without ids get a hash.
-- Text that identifies is compared byte by byte (COLLATE "C"): fast, and the same everywhere.
-- depends:

CREATE TABLE runs (
    run text COLLATE "C" PRIMARY KEY,
    run_no integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind text NOT NULL CHECK (kind IN ('live', 'replay')),
    started_at timestamptz NOT NULL,
    time_shift interval NOT NULL DEFAULT '0',
    rules jsonb NOT NULL DEFAULT '[]',
    source text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT '-infinity',
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN runs.run_no IS 'Names the partitions of the run: tweets_<run_no> and so on';
COMMENT ON COLUMN runs.changed_at IS 'When its figures last moved; the refresher follows it';

CREATE TABLE deleted_runs (
    run text COLLATE "C" PRIMARY KEY,
    deleted_at timestamptz NOT NULL
);
COMMENT ON TABLE deleted_runs IS 'Events of these runs that came in before the moment are ignored';

CREATE TABLE replay_files (
    run text COLLATE "C" NOT NULL,
    file_sha256 text COLLATE "C" NOT NULL,
    file_name text NOT NULL,
    records_done bigint NOT NULL DEFAULT 0,
    events_published bigint NOT NULL DEFAULT 0,
    dead_letters bigint NOT NULL DEFAULT 0,
    finished boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, file_sha256)
);
COMMENT ON COLUMN replay_files.records_done IS 'Lines or pages whose events are all confirmed';

CREATE TABLE models (
    model_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 text COLLATE "C" NOT NULL UNIQUE,
    name text NOT NULL,
    version text NOT NULL,
    cleaning text NOT NULL,
    labels text[] NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tweets (
    run text COLLATE "C" NOT NULL,
    day date NOT NULL,
    root_id text COLLATE "C" NOT NULL,
    tweet_id text COLLATE "C" NOT NULL,
    version smallint NOT NULL,
    edit_history text[] NOT NULL,
    posted_at timestamptz NOT NULL,
    edited_at timestamptz,
    received_at timestamptz NOT NULL,
    text text NOT NULL,
    language text,
    author_id text COLLATE "C",
    conversation_id text COLLATE "C",
    retweet_of text COLLATE "C",
    retweet_of_author text COLLATE "C",
    quote_of text COLLATE "C",
    reply_to text COLLATE "C",
    rules text[] NOT NULL,
    hashtags text[] NOT NULL,
    mentions text[] NOT NULL,
    links text[] NOT NULL,
    emoji text[] NOT NULL,
    possibly_sensitive boolean NOT NULL,
    human_label text,
    source text NOT NULL,
    PRIMARY KEY (root_id, run, day)
) PARTITION BY LIST (run);
CREATE INDEX tweets_edited ON tweets USING gin (edit_history) WHERE version > 0;
COMMENT ON COLUMN tweets.edit_history IS 'Ids of its versions up to this one; empty if never edited';
CREATE INDEX tweets_retweet_of ON tweets (retweet_of) WHERE retweet_of IS NOT NULL;
CREATE INDEX tweets_author ON tweets (author_id) WHERE author_id IS NOT NULL;
CREATE INDEX tweets_retweet_of_author ON tweets (retweet_of_author)
    WHERE retweet_of_author IS NOT NULL;

CREATE TABLE scores (
    run text COLLATE "C" NOT NULL,
    day date NOT NULL,
    root_id text COLLATE "C" NOT NULL,
    model_id integer NOT NULL,
    version smallint NOT NULL,
    counts boolean NOT NULL,
    label text NOT NULL,
    confidence double precision NOT NULL,
    probabilities jsonb NOT NULL,
    scored_at timestamptz NOT NULL,
    PRIMARY KEY (root_id, model_id, run, day)
) PARTITION BY LIST (run);
COMMENT ON COLUMN scores.counts IS 'Whether the rollups hold this score: one for each tweet';
COMMENT ON COLUMN scores.version IS 'The version of the tweet that was scored';

CREATE TABLE rollups (
    run text COLLATE "C" NOT NULL,
    granularity text COLLATE "C" NOT NULL CHECK (granularity IN ('minute', 'hour', 'day')),
    bucket_start timestamptz NOT NULL,
    rule text COLLATE "C" NOT NULL,
    label text COLLATE "C" NOT NULL,
    model_id integer NOT NULL,
    tweets bigint NOT NULL,
    confidence_micros bigint NOT NULL,
    PRIMARY KEY (run, granularity, bucket_start, rule, label, model_id)
) PARTITION BY LIST (run);
COMMENT ON COLUMN rollups.rule IS 'A rule''s tag, or empty: all tweets, whatever they matched';
COMMENT ON COLUMN rollups.confidence_micros IS 'Sum of confidences in millionths, so that it is exact';

CREATE TABLE hashtag_rollups (
    run text COLLATE "C" NOT NULL,
    granularity text COLLATE "C" NOT NULL CHECK (granularity IN ('minute', 'hour', 'day')),
    bucket_start timestamptz NOT NULL,
    hashtag text COLLATE "C" NOT NULL,
    label text COLLATE "C" NOT NULL,
    tweets bigint NOT NULL,
    PRIMARY KEY (run, granularity, bucket_start, hashtag, label)
) PARTITION BY LIST (run);

CREATE TABLE tombstones (
    run text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('tweet', 'author')),
    id text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, kind, run)
);
COMMENT ON TABLE tombstones IS 'Ids that may not come back. Of run live: in no run';

CREATE TABLE dead_letters (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run text COLLATE "C",
    stage text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    source text COLLATE "C" NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    source_timestamp_ms bigint NOT NULL,
    status text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'redriven', 'discarded')),
    redrives smallint NOT NULL DEFAULT 0,
    key bytea,
    value bytea,
    headers jsonb NOT NULL,
    value_size_bytes bigint NOT NULL,
    value_sha256 text NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (source, source_partition, source_offset, source_timestamp_ms, run)
);
CREATE INDEX dead_letters_run ON dead_letters (run, reason);
COMMENT ON COLUMN dead_letters.value IS 'At most the first 64 KiB of what could not be processed';

CREATE TABLE positions (
    consumer text COLLATE "C" NOT NULL,
    topic_id text COLLATE "C" NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, topic_id, partition)
);
COMMENT ON TABLE positions IS 'Moves in the transaction of the rows: a restored backup is refilled';
COMMENT ON COLUMN positions.topic_id IS 'A topic that was made anew has a new id and starts anew';

CREATE VIEW scored_tweets AS
SELECT
    t.run, t.root_id, t.tweet_id, t.version, t.posted_at, t.edited_at, t.text, t.language,
    t.author_id, t.rules, t.hashtags, t.human_label,
    s.label, s.confidence, s.probabilities, s.scored_at,
    m.name AS model_name, m.version AS model_version, m.sha256 AS model_sha256
FROM tweets AS t
JOIN scores AS s
    ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
JOIN models AS m ON m.model_id = s.model_id;
COMMENT ON VIEW scored_tweets IS 'What people query: each tweet with the score that counts';
