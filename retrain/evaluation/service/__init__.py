"""The model that serves, measured while it serves: a job over HTTP, and its figures as metrics."""
