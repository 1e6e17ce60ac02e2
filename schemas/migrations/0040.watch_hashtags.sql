-- Hashtags of the watch's windows: of a closed one only those that a reference may need stay.
-- depends: 0014.watch

CREATE TABLE watch_hashtags (
    run text COLLATE "C" NOT NULL,
    start timestamptz NOT NULL,
    rule text COLLATE "C" NOT NULL,
    model_sha256 text COLLATE "C" NOT NULL,
    hashtag text COLLATE "C" NOT NULL,
    tweets integer NOT NULL,
    PRIMARY KEY (run, start, rule, model_sha256, hashtag)
);
COMMENT ON COLUMN watch_hashtags.tweets IS 'Tweets of the window that have it, retweets and late ones left out';
