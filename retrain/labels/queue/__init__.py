"""Which tweets should people label next?"""
