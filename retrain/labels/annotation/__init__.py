"""How does a person label in the terminal, one key a tweet?"""
