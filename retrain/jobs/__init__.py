"""When is a model trained anew, and how far is that?"""
