DROP TABLE retrain_stages;
DROP TABLE retrain_jobs;
DROP TABLE retrain_decisions;
