"""Which words have another meaning for a team than for the model? Data with tests; pure, no I/O."""
