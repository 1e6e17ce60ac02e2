"""What does training start from?"""
