"""No two purposes share an advisory lock."""

from schemas import locks


def test_every_lock_has_a_number_of_its_own() -> None:
    numbers = [value for value in vars(locks).values() if isinstance(value, int)]
    assert numbers
    assert len(numbers) == len(set(numbers))
