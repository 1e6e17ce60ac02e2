DROP TABLE model_turns;
