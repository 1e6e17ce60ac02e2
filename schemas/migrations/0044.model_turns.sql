-- Which model scored from when on: also one that the settings name, which no promotion tells of.
-- depends: 0001.tables

CREATE TABLE model_turns (
    since timestamptz NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    PRIMARY KEY (since, sha256)
);
COMMENT ON TABLE model_turns IS 'A row each time that another model scores than before; splits left out';
COMMENT ON COLUMN model_turns.since IS 'When the first tweet was scored by it';

INSERT INTO model_turns (since, sha256, name, version)
SELECT first_seen_at, sha256, name, version FROM models;
