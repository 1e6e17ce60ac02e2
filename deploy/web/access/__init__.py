"""Who may use the service: keys, what each of them may do, and how often."""
