"""One page about a span of a run, held against a reference span."""
