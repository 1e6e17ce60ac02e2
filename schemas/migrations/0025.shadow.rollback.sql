DROP TABLE shadow_scores;
