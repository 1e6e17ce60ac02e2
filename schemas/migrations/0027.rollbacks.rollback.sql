DROP TABLE rollback_decisions;
