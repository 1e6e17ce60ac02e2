DROP INDEX rollups_rule;
DROP INDEX tweets_rules;
DROP INDEX tweets_sampled;
DROP FUNCTION audit_level;
