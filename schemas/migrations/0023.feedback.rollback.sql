DROP TABLE evaluations;
DROP TABLE predictions;
DROP TABLE text_labels;
DELETE FROM secrets WHERE purpose = 'feedback';
