"""What a run's tweets are like: repeats, empty texts, languages, dead letters, over time."""
