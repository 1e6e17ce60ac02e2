"""How do labels come from other tools, and how do they go there? Pure, but for reading a file."""
