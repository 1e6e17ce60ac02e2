"""What do people say of the tweets? Labels in and out, which tweet next, how far people agree."""
