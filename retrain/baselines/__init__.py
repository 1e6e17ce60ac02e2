"""What do simple models reach on the same labels?"""
