"""`murmur demo --full`: the stream changes, and another model serves it by itself."""
