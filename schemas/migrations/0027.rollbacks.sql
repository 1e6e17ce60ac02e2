-- Every decision whether a promotion is taken back, with all that it rests on.
-- depends: 0019.promotions 0025.shadow 0026.arms

CREATE TABLE rollback_decisions (
    decision_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decided_at timestamptz NOT NULL,
    promotion_id text COLLATE "C" NOT NULL,
    rolls_back boolean NOT NULL,
    reasons text[] NOT NULL,
    sentence text NOT NULL,
    evidence jsonb NOT NULL,
    limits jsonb NOT NULL
);
COMMENT ON TABLE rollback_decisions IS 'Equal ones in a row are one';
