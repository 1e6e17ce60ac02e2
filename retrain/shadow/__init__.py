"""What would another model say of the tweets that are scored now?"""
