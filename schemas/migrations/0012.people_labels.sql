-- What people say of a tweet. A label holds ids and the label, never a text.
-- depends: 0001.tables

CREATE FUNCTION audit_rank(root_id text) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('x' || left(encode(sha256(convert_to('murmur-audit:' || root_id, 'UTF8')), 'hex'), 15))::bit(60)::bigint;
COMMENT ON FUNCTION audit_rank IS 'Uniform between 0 and 2^60, by a hash: the lowest are audited first';

CREATE TABLE labels (
    run text COLLATE "C" NOT NULL,
    root_id text COLLATE "C" NOT NULL,
    version smallint NOT NULL,
    labeller text COLLATE "C" NOT NULL,
    origin text COLLATE "C" NOT NULL
        CHECK (origin IN ('audit', 'queue', 'correction', 'import')),
    repeat smallint NOT NULL DEFAULT 0,
    label text COLLATE "C",
    answer_seen boolean NOT NULL,
    labelled_at timestamptz NOT NULL,
    PRIMARY KEY (root_id, run, version, labeller, origin, repeat)
);
CREATE INDEX labels_run ON labels (run, origin, labelled_at);
COMMENT ON COLUMN labels.version IS 'The version of the tweet that was labelled';
COMMENT ON COLUMN labels.repeat IS '1: the same labeller was shown the tweet once more, to measure agreement';
COMMENT ON COLUMN labels.label IS 'Empty: the labeller was unsure';
COMMENT ON COLUMN labels.answer_seen IS 'Whether the model''s answer was shown: such labels never audit';

CREATE VIEW audits AS
SELECT run, root_id, version, label, labelled_at
FROM (
    SELECT run, root_id, version, label, max(labelled_at) AS labelled_at, count(*) AS votes,
           sum(count(*)) OVER (PARTITION BY run, root_id, version) AS all_votes
    FROM labels
    WHERE origin = 'audit' AND repeat = 0 AND NOT answer_seen AND label IS NOT NULL
    GROUP BY run, root_id, version, label
) AS counted
WHERE votes * 2 > all_votes;
COMMENT ON VIEW audits IS 'The label that more than half of the auditors gave, without sight of the model''s answer';
