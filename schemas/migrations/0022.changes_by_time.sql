-- What was removed lately is looked up by time: clients of the service are told of it.
-- depends: 0001.tables 0019.promotions

CREATE INDEX tombstones_created ON tombstones (created_at);
CREATE INDEX deleted_runs_deleted ON deleted_runs (deleted_at);
