"""Word overrides and stored tweets: applied to them, and what they change of the figures."""
