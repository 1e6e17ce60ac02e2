-- A deletion reaches into the dead letters too: which ids stand in each.
-- depends: 0002.dead-letter-tools-and-pruning

ALTER TABLE dead_letters ADD COLUMN named_ids text[] COLLATE "C" NOT NULL DEFAULT '{}';
COMMENT ON COLUMN dead_letters.named_ids IS 'Ids of tweets and accounts that stand in the value';

UPDATE dead_letters SET named_ids = ARRAY(
    SELECT DISTINCT found[1]
    FROM regexp_matches(encode(value, 'escape'), '[0-9]{15,19}', 'g') AS found
) WHERE value IS NOT NULL;

UPDATE dead_letters AS d
SET value = NULL, status = 'discarded', status_at = now(), note = 'erased: it named what was deleted'
FROM tombstones AS t
WHERE t.id = ANY(d.named_ids) AND (t.run = 'live' OR t.run = d.run) AND d.value IS NOT NULL;

CREATE INDEX dead_letters_named_ids ON dead_letters USING gin (named_ids);
