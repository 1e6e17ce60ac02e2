DROP TABLE compliance_jobs;
DROP TABLE posts_read;
DROP TABLE stream_gaps;
DROP TABLE stream_coverage;
