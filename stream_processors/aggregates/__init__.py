"""What the figures of a run are: over which window, from which rows, kept where."""
