"""Runs Murmur: the command, the embedded stack."""
