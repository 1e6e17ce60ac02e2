"""Kafka, PostgreSQL and Valkey from wheels and jars, and the workers, under one supervisor."""
