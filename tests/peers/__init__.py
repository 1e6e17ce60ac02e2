"""Real clients of the inference protocol, in environments of their own."""
