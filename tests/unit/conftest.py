"""How much the property tests try."""

from hypothesis import HealthCheck, settings

# The machines that run these tests are shared: the first draw of a strategy may well be slow.
settings.register_profile(
    "murmur", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("murmur")
