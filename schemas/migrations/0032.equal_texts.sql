-- A deletion reaches texts that people sent, and the log says what was answered.
-- depends: 0023.feedback 0024.overrides 0031.installation

CREATE FUNCTION text_key(text text) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN sha256(convert_to(btrim(regexp_replace(regexp_replace(
        replace(replace(replace(lower(text), '&lt;', '<'), '&gt;', '>'), '&amp;', '&'),
        'https?://[^[:space:]]+', ' ', 'g'), '[[:space:]]+', ' ', 'g')), 'UTF8'));
COMMENT ON FUNCTION text_key IS 'The same for texts that differ only in case, links, white space and escapes of HTML';

CREATE INDEX text_labels_key ON text_labels (text_key(text));
CREATE INDEX predictions_key ON predictions (text_key(text));

ALTER TABLE predictions ADD COLUMN override_name text COLLATE "C";
ALTER TABLE predictions ADD COLUMN override_version text COLLATE "C";
ALTER TABLE predictions ADD COLUMN label_without text;
ALTER TABLE predictions ADD COLUMN confidence_without double precision;
COMMENT ON COLUMN predictions.label IS 'What was answered';
COMMENT ON COLUMN predictions.override_name IS 'The override that gave the label; empty: none did';
COMMENT ON COLUMN predictions.label_without IS 'The label that the model had given';
