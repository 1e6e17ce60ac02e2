"""Which days of the live stream are kept."""
