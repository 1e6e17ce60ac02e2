"""Which of two models is better on this stream?"""
