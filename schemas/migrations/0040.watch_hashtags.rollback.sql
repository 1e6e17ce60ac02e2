DROP TABLE watch_hashtags;
