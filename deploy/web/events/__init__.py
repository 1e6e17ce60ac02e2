"""What changes, told to clients as it happens: server-sent events."""
