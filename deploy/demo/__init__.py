"""The demo: a sample archive of our own making through the whole pipeline, checked at the end."""
