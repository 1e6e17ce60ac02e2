"""The page of `murmur serve`: what people say, live, with the way down to each tweet."""
