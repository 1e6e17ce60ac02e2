"""Text in, probabilities out."""
