-- A deletion reaches letters of lines with short and hexadecimal ids too.
-- depends: 0007.erased_dead_letters

UPDATE dead_letters AS d SET named_ids = ARRAY(
    SELECT DISTINCT id FROM (
        SELECT unnest(d.named_ids) AS id
        UNION ALL
        SELECT found[1] FROM regexp_matches(
            encode(d.value, 'escape'), 'id(?:s|_str)?"\s*:\s*\[?\s*"?([0-9A-Za-z_]{1,64})', 'g'
        ) AS found
        UNION ALL
        SELECT found[1] FROM regexp_matches(
            encode(d.value, 'escape'), '(?:^|[,;|\t])\s*"?([0-9]{2,14})(?=["\s]*(?:$|[,;|\t]))', 'gn'
        ) AS found
        UNION ALL
        SELECT encode(d.key, 'escape')
        WHERE encode(d.key, 'escape') ~ '^[0-9A-Za-z_]{1,64}$'
    ) AS all_found
) WHERE value IS NOT NULL;

UPDATE dead_letters AS d
SET value = NULL, status = 'discarded', status_at = now(), note = 'erased: it named what was deleted'
FROM tombstones AS t
WHERE t.id = ANY(d.named_ids) AND (t.run = 'live' OR t.run = d.run) AND d.value IS NOT NULL;
