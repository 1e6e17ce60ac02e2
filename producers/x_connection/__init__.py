"""How is a connection to X kept up? Connecting, backing off, stalls, buffering, one holder."""
