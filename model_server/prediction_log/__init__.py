"""What the service answered to whom, where an installation asks for it: they are people's texts."""
