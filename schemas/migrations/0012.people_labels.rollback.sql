DROP VIEW audits;
DROP TABLE labels;
DROP FUNCTION audit_rank;
