-- Which model was promoted when, and after which: two promotions cannot follow the same one.
-- depends: 0001.tables

CREATE TABLE promotions (
    promotion_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    promotion_id text COLLATE "C" NOT NULL UNIQUE,
    after_id text COLLATE "C" REFERENCES promotions (promotion_id),
    event jsonb NOT NULL,
    promoted_at timestamptz NOT NULL,
    published_at timestamptz,
    UNIQUE NULLS NOT DISTINCT (after_id)
);
COMMENT ON COLUMN promotions.after_id IS 'The promotion before it: of two at once, one is refused';
COMMENT ON COLUMN promotions.event IS 'The whole event, as it stands in the topic models.promoted';
COMMENT ON COLUMN promotions.published_at IS 'When Kafka had it; empty: it is published by whoever looks next';
