"""How does a label file hold its rows? What training reads and replay publishes; pure, no I/O."""
