"""How does a file become records? Decompressing, splitting into lines, telling files apart."""
