-- The share of each label by hour, of all tweets and of each rule. Run it as a login in murmur_read.
SELECT
    bucket_start AS hour,
    coalesce(rule, '(all tweets)') AS rule,
    label,
    sum(tweets) AS tweets,
    round(sum(tweets) / sum(sum(tweets)) OVER (PARTITION BY bucket_start, rule), 4) AS share
FROM reading.hour_counts
WHERE run = 'live'
GROUP BY bucket_start, rule, label
ORDER BY bucket_start DESC, rule NULLS FIRST, label
LIMIT 100;
