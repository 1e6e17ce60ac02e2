-- What people say of answers of the service, what it answered (only where asked for), and how it
-- was evaluated.
-- depends: 0010.secrets 0012.people_labels 0020.retraining 0022.changes_by_time

INSERT INTO secrets VALUES (
    'feedback', sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea)
);

CREATE TABLE text_labels (
    text_sha256 text COLLATE "C" PRIMARY KEY,
    text text NOT NULL,
    label text COLLATE "C" NOT NULL,
    labeller text COLLATE "C" NOT NULL,
    labelled_at timestamptz NOT NULL
);
CREATE INDEX text_labels_labelled ON text_labels (labelled_at);
COMMENT ON TABLE text_labels IS 'Corrections of texts that are no stored tweets: a text has one label';
COMMENT ON COLUMN text_labels.text_sha256 IS 'Of the text, its white space made single spaces';

CREATE TABLE predictions (
    prediction_id uuid PRIMARY KEY,
    asked_at timestamptz NOT NULL DEFAULT now(),
    asked_by text NOT NULL,
    text text NOT NULL,
    label text COLLATE "C" NOT NULL,
    confidence double precision NOT NULL,
    probabilities jsonb NOT NULL,
    model_name text NOT NULL,
    model_version text NOT NULL,
    model_sha256 text COLLATE "C" NOT NULL
);
CREATE INDEX predictions_asked ON predictions (asked_at, prediction_id);
COMMENT ON TABLE predictions IS 'Empty unless MURMUR_SERVE_LOG_DAYS asks for it: texts of people';
COMMENT ON COLUMN predictions.asked_by IS 'The name of the key';

CREATE TABLE evaluations (
    evaluation_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state text COLLATE "C" NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'done', 'failed')),
    data_set text NOT NULL,
    run text COLLATE "C",
    model_name text NOT NULL,
    model_version text NOT NULL,
    model_sha256 text COLLATE "C" NOT NULL,
    texts integer NOT NULL,
    texts_done integer NOT NULL DEFAULT 0,
    detail text NOT NULL DEFAULT '',
    figures jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX evaluations_one_live ON evaluations ((true)) WHERE state = 'running';
CREATE INDEX evaluations_changed ON evaluations (changed_at);
COMMENT ON COLUMN evaluations.run IS 'The run whose audits were answered; empty: a label file';
COMMENT ON COLUMN evaluations.changed_at IS 'Moves while its process works on it';
