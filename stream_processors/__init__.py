"""What happens to each tweet: clean, score, store, aggregate."""
