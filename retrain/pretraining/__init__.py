"""Learning how people write before learning what it means: words are hidden and guessed."""
