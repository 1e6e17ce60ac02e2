-- What the live stream remembers: how far it came, what it missed, what it has read.
-- depends: 0001.tables

CREATE TABLE stream_coverage (
    stream text COLLATE "C" PRIMARY KEY,
    covered_until timestamptz NOT NULL,
    last_tweet_id text COLLATE "C",
    ended text NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE stream_coverage IS 'Everything received until then is with Kafka or on disk';
COMMENT ON COLUMN stream_coverage.ended IS 'Why the process ended; empty while it runs, or killed';

CREATE TABLE stream_gaps (
    gap_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_at timestamptz NOT NULL UNIQUE,
    to_at timestamptz,
    reason text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL DEFAULT 'open'
        CHECK (status IN ('open', 'refilled', 'partly', 'expired')),
    refilled_until timestamptz,
    posts_refilled bigint NOT NULL DEFAULT 0,
    detail text NOT NULL DEFAULT '',
    refilled_at timestamptz
);
COMMENT ON COLUMN stream_gaps.to_at IS 'Empty while there is no connection';

CREATE TABLE posts_read (
    day date PRIMARY KEY,
    posts bigint NOT NULL
);
COMMENT ON TABLE posts_read IS 'Posts read from X by UTC day: the bill is at most this';

CREATE TABLE compliance_jobs (
    job_id text COLLATE "C" PRIMARY KEY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('tweets', 'users')),
    ids bigint NOT NULL,
    removals bigint,
    created_at timestamptz NOT NULL,
    finished_at timestamptz
);
COMMENT ON COLUMN compliance_jobs.removals IS 'Empty until its result has been published';
