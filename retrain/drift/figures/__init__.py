"""What the watch sees, as figures: each signal's windows beside what its reference expects."""
