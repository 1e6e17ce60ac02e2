"""How is a message of `tweets.raw` scored? Topology, micro-batches, extraction, the worker."""
