-- What the watch raised and ended, what people said to it, and who was told.
-- An alarm holds figures and no tweet, so that no deletion has to reach it.
-- depends: 0001.tables

CREATE TABLE alarms (
    alarm_id text COLLATE "C" PRIMARY KEY,
    run text COLLATE "C" NOT NULL,
    rule text COLLATE "C" NOT NULL,
    signal text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('model', 'world')),
    detector text NOT NULL,
    model_sha256 text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    value double precision NOT NULL,
    reference double precision NOT NULL,
    tweets bigint NOT NULL,
    false_alarms_per_year double precision NOT NULL,
    ended_window_start timestamptz,
    ended_window_end timestamptz,
    ended_value double precision,
    raised_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledged_note text,
    raised_published_at timestamptz,
    ended_published_at timestamptz
);
CREATE UNIQUE INDEX alarms_open ON alarms (run, rule, signal, subject) WHERE ended_at IS NULL;
CREATE INDEX alarms_run ON alarms (run, window_start);
CREATE INDEX alarms_raised_unpublished ON alarms (raised_at) WHERE raised_published_at IS NULL;
CREATE INDEX alarms_ended_unpublished ON alarms (ended_at)
    WHERE ended_at IS NOT NULL AND ended_published_at IS NULL;
COMMENT ON INDEX alarms_open IS 'At most one alarm of one thing is open at any time';
COMMENT ON COLUMN alarms.alarm_id IS 'A hash of run, rule, signal, subject and window_start: the same alarm is one row';
COMMENT ON COLUMN alarms.rule IS 'A rule''s tag, or empty: all tweets, whatever they matched';
COMMENT ON COLUMN alarms.subject IS 'The label, hashtag or language that the signal is of; else empty';
COMMENT ON COLUMN alarms.kind IS 'model: the model may be wrong. world: the world has moved';
COMMENT ON COLUMN alarms.since IS 'The start of the stretch that differs, in the time of the tweets';
COMMENT ON COLUMN alarms.window_start IS 'The window that decided, in the time of the tweets';
COMMENT ON COLUMN alarms.value IS 'What was seen where reference was expected';
COMMENT ON COLUMN alarms.false_alarms_per_year IS 'The stated rate while the reference is right';
COMMENT ON COLUMN alarms.raised_at IS 'By the database''s clock, as are all times from here on';
COMMENT ON COLUMN alarms.raised_published_at IS 'Empty until Kafka has acknowledged AlarmRaised';
COMMENT ON COLUMN alarms.ended_published_at IS 'Empty until Kafka has acknowledged AlarmEnded';

CREATE TABLE alarm_webhooks (
    url_sha256 text COLLATE "C" PRIMARY KEY,
    first_used_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE alarm_webhooks IS 'What was raised before an address was first set is not sent to it';

CREATE TABLE alarm_deliveries (
    url_sha256 text COLLATE "C" NOT NULL REFERENCES alarm_webhooks ON DELETE CASCADE,
    alarm_id text COLLATE "C" NOT NULL REFERENCES alarms ON DELETE CASCADE,
    event text COLLATE "C" NOT NULL CHECK (event IN ('raised', 'ended')),
    attempts smallint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    delivered boolean NOT NULL DEFAULT false,
    fault text NOT NULL DEFAULT '',
    PRIMARY KEY (alarm_id, event, url_sha256)
);
CREATE INDEX alarm_deliveries_waiting ON alarm_deliveries (next_attempt_at)
    WHERE finished_at IS NULL;
COMMENT ON COLUMN alarm_deliveries.finished_at IS 'When it was delivered, or given up';
COMMENT ON COLUMN alarm_deliveries.fault IS 'Why the last attempt failed';
