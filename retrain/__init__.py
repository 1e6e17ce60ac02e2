"""Is the model still right, and what then?"""
