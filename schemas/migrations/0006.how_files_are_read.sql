-- A position counts records, and what is a record depends on how the file is read.
-- depends: 0001.tables

ALTER TABLE replay_files ADD COLUMN read_as text COLLATE "C" NOT NULL DEFAULT '';
COMMENT ON COLUMN replay_files.read_as IS 'Format and options; read otherwise, a file begins anew';
