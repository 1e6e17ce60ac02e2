"""Does the promoted model do harm, so that it must go?"""
