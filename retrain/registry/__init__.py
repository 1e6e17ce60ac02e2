"""Where are bundles kept for others, and under which names?"""
