DROP INDEX tombstones_created;
DROP INDEX deleted_runs_deleted;
