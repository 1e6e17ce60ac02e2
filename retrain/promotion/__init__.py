"""Which model serves: promoted once, for everybody, and undone as easily."""
