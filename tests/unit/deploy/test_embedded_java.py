"""Which Java runs Kafka."""

from pathlib import Path

import pytest

from deploy.embedded.java import choose_java, options_of, parse_java_version
from schemas.failures import Failure


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17),
        ('openjdk version "25" 2025-09-16', 25),
        ('java version "1.8.0_412"', 8),
        ('openjdk version "21-ea" 2023-09-19', 21),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
    ],
)
def test_the_version_is_read_off_what_java_prints(printed: str, version: int | None) -> None:
    assert parse_java_version(printed) == version


def test_the_first_java_that_is_new_enough_is_taken() -> None:
    versions = {Path("/a"): None, Path("/b"): 11, Path("/c"): 17, Path("/d"): 25}
    assert choose_java(versions, versions.__getitem__) == Path("/c")


def test_only_a_java_that_would_warn_of_it_is_told_what_the_libraries_may_do() -> None:
    assert options_of(17) == options_of(21) == ()
    assert "--enable-native-access=ALL-UNNAMED" in options_of(25)


def test_without_a_fitting_java_the_failure_says_what_was_found_and_what_to_do() -> None:
    with pytest.raises(Failure, match=r"/b \(version 11\).*JAVA_HOME.*MURMUR_KAFKA"):
        choose_java([Path("/b")], lambda _: 11)
