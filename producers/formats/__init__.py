"""Which formats can be read? One format a file, found by content."""
