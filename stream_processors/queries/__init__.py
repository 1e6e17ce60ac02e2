"""How people and programs get at what is stored: totals, runs, export."""
