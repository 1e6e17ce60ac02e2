-- Labels that archives brought are labels like the others: those of tweets that are stored already.
-- depends: 0012.people_labels

-- REMOVALS of schemas/locks.py: no tweet leaves between being read and its label being written.
DO $$ BEGIN PERFORM pg_advisory_xact_lock_shared(7264001); END $$;
INSERT INTO labels (run, root_id, version, labeller, origin, label, answer_seen, labelled_at)
SELECT run, root_id, version, 'archive', 'import', human_label, false, received_at
FROM tweets WHERE human_label <> ''
ON CONFLICT DO NOTHING;
