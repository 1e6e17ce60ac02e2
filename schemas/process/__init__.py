"""What every process tells of itself: logs, metrics, probes."""
