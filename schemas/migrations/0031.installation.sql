-- Two installations in one database would count each other's tweets and serve each other's models.
-- depends: 0010.secrets

CREATE TABLE installation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    topic_prefix text COLLATE "C" NOT NULL
);
COMMENT ON TABLE installation IS 'Whose database it is: `murmur init` writes it once';
