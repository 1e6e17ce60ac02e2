"""Detectors of change, one a file: pure, without a clock and without randomness of their own."""
