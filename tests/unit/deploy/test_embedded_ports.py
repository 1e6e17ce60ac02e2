"""Ports are picked free once and kept."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from deploy.embedded.ports import settle_ports
from deploy.embedded.stack_state import PORT_NAMES, settle_state, with_new_ports

PORTS = st.integers(20_000, 20_040)


@given(
    remembered=st.dictionaries(st.sampled_from(PORT_NAMES), PORTS),
    taken=st.sets(PORTS, max_size=20),
    candidates=st.lists(PORTS, max_size=30),
)
def test_every_port_is_free_and_its_own(
    remembered: dict[str, int], taken: set[int], candidates: list[int]
) -> None:
    unlimited = iter([*candidates, *range(30_000, 30_100)])
    ports = settle_ports(PORT_NAMES, remembered, unlimited, lambda port: port not in taken)
    assert ports.keys() == set(PORT_NAMES)
    assert not set(ports.values()) & taken
    if len(set(remembered.values())) == len(remembered):
        assert len(set(ports.values())) == len(ports)


@given(taken=st.sets(st.sampled_from(PORT_NAMES)))
def test_a_port_changes_only_if_a_stranger_has_taken_it(taken: set[str]) -> None:
    first = settle_state(None, lambda _: True)
    busy = {first.ports[name] for name in taken}
    second = settle_state(first, lambda port: port not in busy)
    changed = {name for name in PORT_NAMES if first.ports[name] != second.ports[name]}
    assert changed == taken
    assert second.postgres_password == first.postgres_password


def test_two_new_stacks_share_no_secret() -> None:
    one, two = settle_state(None, lambda _: True), settle_state(None, lambda _: True)
    secrets = [
        secret
        for state in (one, two)
        for secret in (state.postgres_password, state.redis_password, state.supervisor_password)
    ]
    assert len(set(secrets)) == len(secrets)
    assert one.kafka_cluster_id != two.kafka_cluster_id


def test_a_stack_that_runs_keeps_its_ports_and_gets_those_that_it_lacks() -> None:
    first = settle_state(None, lambda _: True)
    known = {name: port for name, port in first.ports.items() if name not in ("page", "serve")}
    grown = with_new_ports(replace(first, ports=known), lambda port: port not in known.values())
    assert {name: grown.ports[name] for name in known} == known
    assert grown.ports.keys() == set(PORT_NAMES)
    assert len(set(grown.ports.values())) == len(PORT_NAMES)


def test_the_page_is_where_people_expect_it_unless_somebody_is_there() -> None:
    assert settle_state(None, lambda _: True).page == "http://127.0.0.1:8100/page"
    assert ":8100" not in settle_state(None, lambda port: port != 8100).page
