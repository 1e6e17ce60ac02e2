"""Which tweets are asked for? Rules in a file, at X, and evaluated here."""
