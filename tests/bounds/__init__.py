"""What the costliest tweet, file and header cost: worst time and memory for each stage."""
