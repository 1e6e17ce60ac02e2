-- Figures of many tweets come from a uniform sample of them, found by an index: they cost the same
-- however many are stored. The indices are made over all stored tweets: a minute for a few millions.
-- depends: 0012.people_labels

CREATE FUNCTION audit_level(root_id text) RETURNS smallint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (20 - width_bucket(audit_rank(root_id), ARRAY[
        1099511627776, 2199023255552, 4398046511104, 8796093022208, 17592186044416,
        35184372088832, 70368744177664, 140737488355328, 281474976710656, 562949953421312,
        1125899906842624, 2251799813685248, 4503599627370496, 9007199254740992,
        18014398509481984, 36028797018963968, 72057594037927936, 144115188075855872,
        288230376151711744, 576460752303423488
    ]::bigint[]))::smallint;
COMMENT ON FUNCTION audit_level IS 'How often audit_rank can be doubled below 2^60, at most 20: half of all tweets have 0, a quarter 1';

CREATE INDEX tweets_sampled ON tweets (audit_level(root_id), posted_at);
CREATE INDEX tweets_rules ON tweets USING gin (rules);
CREATE INDEX rollups_rule ON rollups (rule, granularity, bucket_start);
