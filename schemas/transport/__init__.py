"""How an event crosses a border: publishing, consuming, dead letters, connections."""
