"""`murmur serve`: the rooms' routers put together into one HTTP service."""
