"""Which texts with which labels?"""
