"""What was missed, and how is it fetched?"""
