"""Stored tweets, scored anew by another model."""
