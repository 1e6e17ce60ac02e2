"""What may a value from outside be? The rules that every format shares."""
