"""How does what was read get into Kafka? Encoded once, refused with its place, published."""
