"""What must be taken away because X no longer shows it?"""
