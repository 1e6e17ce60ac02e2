"""How is an archive published? Planning, pacing, confirming, remembering the position."""
