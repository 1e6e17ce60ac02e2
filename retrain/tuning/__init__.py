"""Which figures of the recipe suit these labels: `murmur model tune`."""
