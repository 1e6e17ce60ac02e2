"""How much the property tests try: HYPOTHESIS_PROFILE=thorough for a long look."""

import os

from hypothesis import HealthCheck, settings

# The machines that run these tests are shared: the first draw of a strategy may well be slow.
settings.register_profile(
    "murmur", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("thorough", settings.get_profile("murmur"), max_examples=3_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "murmur"))
