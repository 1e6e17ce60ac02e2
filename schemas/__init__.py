"""What every room of the house agrees on: events, topics, tables, settings, transport."""
