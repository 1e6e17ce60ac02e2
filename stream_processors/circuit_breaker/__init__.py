"""A flood of dead letters stops scoring: when, how everybody knows it, and how it goes on."""
