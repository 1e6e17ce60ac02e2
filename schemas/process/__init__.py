"""What is around every process: signals, probes, progress, watchdog, exit codes, logs, metrics."""
