"""The chart before a real API server: admitted whole, installed, upgraded, taken back."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Final

import yaml

from tests.ops_check.cluster import Cluster, running_cluster
from tests.ops_check.step import Shared, Step, StepFailed

_CHART: Final = "deploy/kubernetes/chart"
_RELEASE: Final = "murmur"
_EVERYTHING: Final = ("--values", f"{_CHART}/ci/everything-values.yaml")
_SERVED: Final = ("apps/", "batch/", "networking.k8s.io/", "policy/", "v1")
"""Groups that every cluster has. Definitions of other kinds come with KEDA and with Prometheus's
operator."""

_ONLY_SERVED: Final = ("--set", "keda.enabled=false", "--set", "podMonitor.enabled=false")
_NO_HOOKS: Final = "--no-hooks"
"""The hook's Job would be waited for, and nothing runs Jobs here."""


def pod_of(manifest: dict[str, Any]) -> dict[str, Any] | None:
    """Return the pod that a manifest's controller would make; None where it makes none."""
    spec = manifest.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    template = spec.get("template")
    if template is None:
        return None
    claims = [
        {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": "claim"}}
        for claim in spec.get("volumeClaimTemplates", ())
    ]
    pod = {**template["spec"], "volumes": [*template["spec"].get("volumes", ()), *claims]}
    name = manifest["metadata"]["name"]
    metadata = {**template["metadata"], "name": name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}


def _is_served(manifest: dict[str, Any]) -> bool:
    return str(manifest["apiVersion"]).startswith(_SERVED)


def _admit(cluster: Cluster, manifests: Sequence[dict[str, Any]]) -> None:
    """Have the server look at manifests as if they were created, unknown fields included."""
    text = yaml.safe_dump_all(manifests)
    cluster.kubectl("create", "--dry-run=server", "--validate=strict", "--filename=-", text=text)


def _refuses(cluster: Cluster, manifest: dict[str, Any], what: str) -> None:
    """Raise `StepFailed` unless the server refuses a seeded fault with this word."""
    try:
        _admit(cluster, [manifest])
    except StepFailed as told:
        if what not in str(told):
            raise
        return
    raise StepFailed(f"the API server lets pass what it should refuse: {what}")


def _api_server(shared: Shared) -> str:
    with running_cluster(shared.folder) as cluster:
        version = yaml.safe_load(cluster.kubectl("version", "--output=yaml"))["serverVersion"]
        charts = [_rendered(cluster, values) for values in ((), _EVERYTHING)]
        manifests = [[found for found in chart if _is_served(found)] for chart in charts]
        for chart in manifests:
            _admit(cluster, chart)
        pods = _admit_pods(cluster, manifests)
        _change_release(cluster)
    others = {found["kind"] for chart in charts for found in chart if not _is_served(found)}
    return (
        f"Kubernetes {version['gitVersion']} admits {sum(map(len, manifests))} manifests and"
        f" {pods} pods (restricted), installs, upgrades and rolls back;"
        f" kinds that it does not know: {', '.join(sorted(others))}"
    )


def _rendered(cluster: Cluster, values: Sequence[str]) -> list[dict[str, Any]]:
    text = cluster.helm("template", _RELEASE, _CHART, *values)
    return [found for found in yaml.safe_load_all(text) if found]


def _admit_pods(cluster: Cluster, charts: Sequence[Sequence[dict[str, Any]]]) -> int:
    """Have each pod admitted under `restricted`, and two with a fault refused; return how many."""
    # A pod is refused unless its account is there.
    (account,) = {
        found["metadata"]["name"]
        for chart in charts
        for found in chart
        if found["kind"] == "ServiceAccount"
    }
    cluster.kubectl("create", "serviceaccount", account)
    admitted = 0
    for chart in charts:
        pods = list(filter(None, map(pod_of, chart)))
        _admit(cluster, pods)
        admitted += len(pods)
    as_root, misspelt = deepcopy(pods[0]), deepcopy(pods[0])
    as_root["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] = False
    _refuses(cluster, as_root, "violates PodSecurity")
    misspelt["spec"]["contaners"] = []
    _refuses(cluster, misspelt, "unknown field")
    cluster.kubectl("delete", "serviceaccount", account)
    return admitted


def _change_release(cluster: Cluster) -> None:
    """Install the chart as it comes, upgrade it to all that it can be, and roll it back."""
    everything = (*_EVERYTHING, *_ONLY_SERVED, "--set", "image.tag=99.0.0")
    cluster.helm("install", _RELEASE, _CHART, _NO_HOOKS)
    before = _images(cluster)
    cluster.helm("upgrade", _RELEASE, _CHART, _NO_HOOKS, *everything)
    if not any(image.endswith(":99.0.0") for image in _images(cluster)):
        raise StepFailed("an upgrade changes no image")
    cluster.helm("rollback", _RELEASE, "1", _NO_HOOKS)
    if _images(cluster) != before:
        raise StepFailed(f"a rollback leaves {_images(cluster)}, not {before}")


def _images(cluster: Cluster) -> list[str]:
    path = "{.items[*].spec.template.spec.containers[*].image}"
    found = cluster.kubectl("get", "deployments,statefulsets", f"--output=jsonpath={path}")
    return sorted(found.split())


STEPS: Final = (Step("deployment: API server", _api_server),)
