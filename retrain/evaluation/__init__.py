"""How good is a bundle, and how sure is that?"""
