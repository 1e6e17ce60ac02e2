"""What changed between two spans of a run, read from what is stored."""
