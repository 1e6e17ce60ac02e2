"""Who hears of an alarm: people in the terminal, Prometheus, a webhook of the user's."""
