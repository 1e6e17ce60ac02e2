-- What a redriven message says of its dead letter is signed, so that nobody else can say it.
-- depends: 0001.tables

CREATE TABLE secrets (
    purpose text COLLATE "C" PRIMARY KEY,
    secret bytea NOT NULL
);
-- Each of the two is of 122 strong random bits.
INSERT INTO secrets VALUES (
    'redrive', sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea)
);
COMMENT ON TABLE secrets IS 'Made with the tables, and kept in the database alone';
