"""Watching the stream: windows of it, detectors of change, alarms, and what changed."""
