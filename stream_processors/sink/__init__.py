"""Scored tweets to PostgreSQL: rows and rollups in one transaction a batch, offsets after it."""
