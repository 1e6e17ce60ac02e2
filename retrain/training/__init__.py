"""How does a model learn from labelled texts?"""
