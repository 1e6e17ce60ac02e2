"""What Murmur needs on the servers before anything runs: topics and tables."""
