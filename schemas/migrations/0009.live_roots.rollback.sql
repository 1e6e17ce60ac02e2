DROP TABLE live_roots;
