ALTER TABLE predictions DROP COLUMN override_name;
ALTER TABLE predictions DROP COLUMN override_version;
ALTER TABLE predictions DROP COLUMN label_without;
ALTER TABLE predictions DROP COLUMN confidence_without;
DROP INDEX predictions_key;
DROP INDEX text_labels_key;
DROP FUNCTION text_key;
