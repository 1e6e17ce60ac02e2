-- Who may use the HTTP service. A key itself is nowhere: only the SHA-256 of its secret.
-- depends: 0001.tables

CREATE TABLE api_keys (
    key_id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    secret_sha256 text COLLATE "C" NOT NULL,
    scopes text[] NOT NULL CHECK (scopes <@ ARRAY['predict', 'read', 'label', 'operate'] AND scopes <> '{}'),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at timestamptz
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;
COMMENT ON COLUMN api_keys.name IS 'Who or what uses it; a name is free again once its key is revoked';
COMMENT ON COLUMN api_keys.last_used_at IS 'The hour in which it was last used';
