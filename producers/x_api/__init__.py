"""What does X's API v2 say? Its documents as events, from an archive and live alike."""
