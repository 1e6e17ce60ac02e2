"""`murmur watch`: counts what is scored into windows, and has each judged when it is complete."""
