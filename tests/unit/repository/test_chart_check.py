"""Pods are judged as their controllers would make them."""

from typing import Any

from tests.ops_check.cluster_steps import pod_of

POD: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}}


def test_a_workload_has_the_pod_of_its_template_under_its_own_name() -> None:
    named = {"metadata": {"name": "n"}}
    for spec in (
        {"template": POD},
        {"jobTemplate": {"spec": {"template": POD}}},
    ):
        pod = pod_of({**named, "spec": spec})
        assert pod is not None
        assert (pod["kind"], pod["metadata"]["name"]) == ("Pod", "n")
        assert pod["spec"]["containers"] == [{"name": "c"}]
    assert pod_of({**named, "kind": "Service", "spec": {"ports": []}}) is None
    assert pod_of({**named, "kind": "ServiceAccount"}) is None


def test_claims_of_a_stateful_set_are_volumes_of_its_pod() -> None:
    claims = [{"metadata": {"name": "home"}, "spec": {}}]
    pod = pod_of(
        {"metadata": {"name": "n"}, "spec": {"template": POD, "volumeClaimTemplates": claims}}
    )
    assert pod is not None
    assert [volume["name"] for volume in pod["spec"]["volumes"]] == ["home"]
    assert "volumes" not in POD["spec"]
