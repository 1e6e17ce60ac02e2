-- What the dead-letter tools note, and from which day on a run keeps its tweets.
-- depends: 0001.tables

ALTER TABLE dead_letters
    ADD COLUMN note text NOT NULL DEFAULT '',
    ADD COLUMN status_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN dead_letters.source IS 'Where it was first read; a redriven letter that fails again is this row';
COMMENT ON COLUMN dead_letters.redrives IS 'How often it was published again';

CREATE TABLE kept_days (
    run text COLLATE "C" PRIMARY KEY,
    kept_from date NOT NULL,
    pruned_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE kept_days IS 'Tweets of days before kept_from were dropped; later arrivals count nowhere';
