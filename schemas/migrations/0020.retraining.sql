-- Decisions about a new training, and the jobs that came of them. At most one job is not over.
-- depends: 0001.tables

CREATE TABLE retrain_decisions (
    decision_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decided_at timestamptz NOT NULL DEFAULT now(),
    fires boolean NOT NULL,
    sentence text NOT NULL,
    inputs jsonb NOT NULL,
    settings jsonb NOT NULL,
    decision jsonb NOT NULL
);
COMMENT ON TABLE retrain_decisions IS 'Every decision with all that it rests on; equal ones in a row are one';

CREATE TABLE retrain_jobs (
    job_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decision_no bigint REFERENCES retrain_decisions (decision_no),
    run text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'done', 'refused', 'failed', 'cancelled')),
    stage text COLLATE "C",
    holder text COLLATE "C",
    lease_until timestamptz,
    cancel_asked boolean NOT NULL DEFAULT false,
    attempts smallint NOT NULL DEFAULT 0,
    detail text NOT NULL DEFAULT '',
    spec jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    ended_at timestamptz
);
CREATE UNIQUE INDEX retrain_jobs_one_live ON retrain_jobs ((true)) WHERE state IN ('queued', 'running');
COMMENT ON COLUMN retrain_jobs.holder IS 'Which process works on it; it is taken over once the lease is over';
COMMENT ON COLUMN retrain_jobs.attempts IS 'How often it was taken up, the first time included';

CREATE TABLE retrain_stages (
    job_no integer NOT NULL REFERENCES retrain_jobs (job_no) ON DELETE CASCADE,
    stage text COLLATE "C" NOT NULL,
    inputs_sha256 text COLLATE "C" NOT NULL,
    output jsonb NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_no, stage)
);
COMMENT ON COLUMN retrain_stages.inputs_sha256 IS 'A stage whose inputs are the same is not done again';
