-- What later tables hold, for other people's tools: evaluations, the shadow, promotions taken back.
-- depends: 0023.feedback 0025.shadow 0027.rollbacks 0029.reading_views

CREATE VIEW reading.evaluations AS
SELECT evaluation_no, state, data_set, run,
       model_name || ' ' || model_version || ' ' || left(model_sha256, 8) AS model,
       model_name, model_version, model_sha256, texts,
       (figures #>> '{figures,accuracy}')::double precision AS accuracy,
       (figures #>> '{figures,macro_recall}')::double precision AS macro_recall,
       (figures #>> '{figures,macro_f1}')::double precision AS macro_f1,
       created_at
FROM public.evaluations;
COMMENT ON VIEW reading.evaluations IS 'Models measured on data sets, or (run) on the audits of a run; shares between 0 and 1';

CREATE VIEW reading.evaluation_classes AS
SELECT e.evaluation_no, e.data_set, e.run,
       e.model_name || ' ' || e.model_version || ' ' || left(e.model_sha256, 8) AS model,
       class ->> 'label' AS label, (class ->> 'support')::integer AS support,
       (class ->> 'precision')::double precision AS precision,
       (class ->> 'recall')::double precision AS recall,
       (class ->> 'f1')::double precision AS f1
FROM public.evaluations AS e
CROSS JOIN LATERAL jsonb_array_elements(e.figures -> 'classes') AS class;
COMMENT ON VIEW reading.evaluation_classes IS 'The figures of each label of an evaluation';

CREATE VIEW reading.evaluation_confusion AS
SELECT e.evaluation_no, e.data_set, e.run,
       e.model_name || ' ' || e.model_version || ' ' || left(e.model_sha256, 8) AS model,
       e.figures #>> ARRAY['classes', (line.place - 1)::text, 'label'] AS person_label,
       e.figures #>> ARRAY['classes', (cell.place - 1)::text, 'label'] AS model_label,
       cell.texts::integer AS texts
FROM public.evaluations AS e
CROSS JOIN LATERAL jsonb_array_elements(e.figures -> 'confusion')
    WITH ORDINALITY AS line (cells, place)
CROSS JOIN LATERAL jsonb_array_elements_text(line.cells) WITH ORDINALITY AS cell (texts, place);
COMMENT ON VIEW reading.evaluation_confusion IS 'How many texts people call one thing and the model another';

CREATE VIEW reading.shadow_counts AS
SELECT run, day, model_sha256, label, challenger_name, challenger_sha256, challenger_label,
       count(*) AS tweets
FROM public.shadow_scores
GROUP BY run, day, model_sha256, label, challenger_name, challenger_sha256, challenger_label;
COMMENT ON VIEW reading.shadow_counts IS 'What the model and its challenger call the same tweets';

CREATE VIEW reading.rollback_decisions AS
SELECT decision_no, decided_at, promotion_id, rolls_back, reasons, sentence
FROM public.rollback_decisions;
COMMENT ON VIEW reading.rollback_decisions IS 'Whether a promotion did harm, and why';

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'murmur_read') THEN
        GRANT SELECT ON ALL TABLES IN SCHEMA reading TO murmur_read;
    END IF;
END $$;
