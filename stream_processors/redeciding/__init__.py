"""Stored tweets decided anew from their stored probabilities, without the model."""
