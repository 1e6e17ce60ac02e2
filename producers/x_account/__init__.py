"""How is X spoken to? The token, the host, what is asked for; Tweepy does the rest."""
