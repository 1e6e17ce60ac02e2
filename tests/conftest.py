"""Fixtures of all tests: a clean environment, and real servers for those that ask for them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.settings import Settings
from tests.stack import (
    delete_topics,
    is_named_server,
    isolated,
    migrated_template,
    running_servers,
)


@pytest.fixture(scope="session", autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the developer's `.env` and MURMUR_ variables, but for the servers they name.

    And the size of a terminal: what the tests start writes into pipes.
    """
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("COLUMNS", "LINES"):
            patch.delenv(variable, raising=False)
        for variable in list(os.environ):
            if variable.startswith("MURMUR_") and not is_named_server(variable):
                patch.delenv(variable)
        # The page of a stack is asked for where it is tested.
        patch.setenv("MURMUR_UP_WITH", "")
        patch.chdir(tmp_path_factory.mktemp("working-folder"))
        yield


@pytest.fixture(scope="session")
def stack(_clean_environment: None) -> Iterator[Settings]:
    """Settings of running servers with topics and tables; for tests that keep to their corner."""
    with running_servers() as settings:
        yield settings


@pytest.fixture(scope="session")
def migrated_database(stack: Settings) -> Iterator[str]:
    """The name of a database with all tables, from which each test's own is copied."""
    with migrated_template(stack) as name:
        yield name


@pytest.fixture(scope="session")
def spare_topics(stack: Settings) -> Iterator[list[str]]:
    """Prefixes of topics that a test has left as they were made: the next test gets them."""
    prefixes: list[str] = []
    yield prefixes
    for prefix in prefixes:
        delete_topics(stack.model_copy(update={"topic_prefix": prefix}))


@pytest.fixture
def settings(
    stack: Settings, migrated_database: str, spare_topics: list[str]
) -> Iterator[Settings]:
    """Settings with the test's own topics, own empty database and an empty Redis."""
    with isolated(stack, migrated_database, spare_topics) as own:
        yield own


@pytest.fixture(scope="module")
def module_settings(stack: Settings, migrated_database: str) -> Iterator[Settings]:
    """Like `settings`, shared by the tests of a module."""
    with isolated(stack, migrated_database) as own:
        yield own


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).parents[1]
