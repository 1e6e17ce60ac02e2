-- What other people's tools may read: views with documented columns, in a schema of their own, and a
-- role that sees nothing else. Columns may be added to these views; none is renamed or taken away.
-- depends: 0016.known_languages 0019.promotions 0020.retraining

CREATE SCHEMA reading;
COMMENT ON SCHEMA reading IS 'For dashboards and BI: stable views, and no secrets among them';

CREATE VIEW reading.runs AS
SELECT run, kind, started_at, source, nullif(changed_at, '-infinity') AS changed_at FROM public.runs;
COMMENT ON VIEW reading.runs IS 'The live stream and every replay';

CREATE VIEW reading.models AS
SELECT name, version, sha256, cleaning, labels, first_seen_at FROM public.models;
COMMENT ON VIEW reading.models IS 'Every model that scored a tweet';

CREATE VIEW reading.promotions AS
SELECT promotion_no, promoted_at, published_at, event #>> '{models,0,name}' AS model_name,
       event #>> '{models,0,version}' AS model_version, event #>> '{models,0,sha256}' AS model_sha256
FROM public.promotions;
COMMENT ON VIEW reading.promotions IS 'Which model was promoted when';

CREATE VIEW reading.tweets AS
SELECT run, root_id, tweet_id, version, posted_at, edited_at, text, language, author_id, rules,
       hashtags, human_label, label, confidence, probabilities, scored_at, model_name, model_version,
       model_sha256, decision_id, language_known
FROM public.scored_tweets;
COMMENT ON VIEW reading.tweets IS 'Each tweet with the score that counts. Deleted tweets leave it at once: do not copy texts';

CREATE VIEW reading.minute_counts AS
SELECT r.run, r.bucket_start, nullif(r.rule, '') AS rule, r.label, m.name AS model_name,
       m.version AS model_version, m.sha256 AS model_sha256, r.tweets,
       r.confidence_micros / 1000000.0 / nullif(r.tweets, 0) AS mean_confidence
FROM public.rollups AS r JOIN public.models AS m USING (model_id)
WHERE r.granularity = 'minute' AND r.tweets > 0;
COMMENT ON VIEW reading.minute_counts IS 'Tweets by minute (UTC), rule and label; rule is empty (NULL) for all tweets: never add both';

CREATE VIEW reading.hour_counts AS
SELECT r.run, r.bucket_start, nullif(r.rule, '') AS rule, r.label, m.name AS model_name,
       m.version AS model_version, m.sha256 AS model_sha256, r.tweets,
       r.confidence_micros / 1000000.0 / nullif(r.tweets, 0) AS mean_confidence
FROM public.rollups AS r JOIN public.models AS m USING (model_id)
WHERE r.granularity = 'hour' AND r.tweets > 0;
COMMENT ON VIEW reading.hour_counts IS 'As minute_counts, by hour';

CREATE VIEW reading.day_counts AS
SELECT r.run, r.bucket_start, nullif(r.rule, '') AS rule, r.label, m.name AS model_name,
       m.version AS model_version, m.sha256 AS model_sha256, r.tweets,
       r.confidence_micros / 1000000.0 / nullif(r.tweets, 0) AS mean_confidence
FROM public.rollups AS r JOIN public.models AS m USING (model_id)
WHERE r.granularity = 'day' AND r.tweets > 0;
COMMENT ON VIEW reading.day_counts IS 'As minute_counts, by day; pruned days are still in it';

CREATE VIEW reading.hashtag_day_counts AS
SELECT run, bucket_start, hashtag, label, tweets FROM public.hashtag_rollups
WHERE granularity = 'day' AND tweets > 0;
COMMENT ON VIEW reading.hashtag_day_counts IS 'Tweets by day, hashtag and label';

CREATE VIEW reading.labelled_tweets AS
SELECT l.run, l.root_id, l.origin, l.label AS person_label, l.labelled_at, s.label AS model_label,
       s.confidence, s.scored_at, m.name AS model_name, m.version AS model_version,
       m.sha256 AS model_sha256, s.counts,
       m.name || ' ' || m.version || ' ' || left(m.sha256, 8) AS model
FROM (
    SELECT run, root_id, version, 'audit'::text AS origin, label, labelled_at FROM public.audits
    UNION ALL
    SELECT run, root_id, version, origin, label, labelled_at FROM public.labels
    WHERE origin = 'import' AND label IS NOT NULL
) AS l
JOIN public.scores AS s ON s.run = l.run AND s.root_id = l.root_id AND s.version = l.version
JOIN public.models AS m USING (model_id);
COMMENT ON VIEW reading.labelled_tweets IS 'People''s labels beside each model''s. Only audits are a sample of the stream; imports are a data set''s own labels';

CREATE VIEW reading.confusion AS
SELECT run, origin, model, model_name, model_version, model_sha256, person_label, model_label,
       count(*) AS tweets
FROM reading.labelled_tweets
GROUP BY run, origin, model, model_name, model_version, model_sha256, person_label, model_label;
COMMENT ON VIEW reading.confusion IS 'How many tweets people call one thing and a model another';

CREATE VIEW reading.class_quality AS
SELECT run, origin, model, model_name, model_version, model_sha256, label,
       coalesce(sum(tweets) FILTER (WHERE person_label = label), 0) AS people_say,
       coalesce(sum(tweets) FILTER (WHERE model_label = label), 0) AS model_says,
       coalesce(sum(tweets) FILTER (WHERE person_label = label AND model_label = label), 0)
           AS both_say
FROM reading.confusion AS c
CROSS JOIN LATERAL (
    SELECT c.person_label AS label UNION SELECT c.model_label
) AS either
GROUP BY run, origin, model, model_name, model_version, model_sha256, label;
COMMENT ON VIEW reading.class_quality IS 'Of each class: how many people say, the model says, both say';

CREATE VIEW reading.alarms AS
SELECT alarm_id, run, nullif(rule, '') AS rule, kind, signal, nullif(subject, '') AS subject,
       detector, model_sha256, since, window_start, window_end, value, reference, tweets,
       raised_at, ended_at, acknowledged_at
FROM public.alarms;
COMMENT ON VIEW reading.alarms IS 'What the watch raised, and what ended';

CREATE VIEW reading.dead_letters AS
SELECT dead_letter_id, run, stage, reason, source, source_partition, source_offset, status, redrives,
       value_size_bytes, value_sha256, first_seen_at
FROM public.dead_letters;
COMMENT ON VIEW reading.dead_letters IS 'What could not be processed, without its content';

CREATE VIEW reading.gaps AS
SELECT from_at, to_at, reason, status, refilled_until, posts_refilled, refilled_at
FROM public.stream_gaps;
COMMENT ON VIEW reading.gaps IS 'Times without a connection to X';

CREATE VIEW reading.posts_read AS
SELECT day, posts FROM public.posts_read;
COMMENT ON VIEW reading.posts_read IS 'Posts read from X by day: the bill is at most this';

-- A role belongs to the whole server: another database may have made it, and not everybody may.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'murmur_read') THEN
        CREATE ROLE murmur_read NOLOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'the role murmur_read is not made: whoever may, says CREATE ROLE murmur_read NOLOGIN and the two GRANTs of 0029';
END $$;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'murmur_read') THEN
        GRANT USAGE ON SCHEMA reading TO murmur_read;
        GRANT SELECT ON ALL TABLES IN SCHEMA reading TO murmur_read;
    END IF;
END $$;
