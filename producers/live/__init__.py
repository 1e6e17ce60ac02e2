"""How is the live stream kept up? Connecting, buffering, publishing, and what was missed."""
