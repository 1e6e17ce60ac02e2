"""How does a trained model become a bundle, and may it?"""
