"""A real API server on the loopback: etcd and kube-apiserver, without nodes and controllers.

What is created in it is admitted and stored as in any cluster, and nothing of it ever runs.
"""

import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from tests.conditions import wait_until
from tests.monitoring import free_port, running_process
from tests.ops_check.step import REPOSITORY, MissingTool, StepFailed, need, output_of

API_SERVER: Final = REPOSITORY / "build" / "ops" / "kube-apiserver"
NAMESPACE: Final = "murmur"
_HELM: Final = "https://helm.sh/docs/intro/install"
_KUBECTL: Final = "https://kubernetes.io/docs/tasks/tools"


@dataclass(frozen=True)
class Cluster:
    """Who asks it: both programs as an administrator, in a namespace that is `restricted`."""

    kubectl_path: str
    helm_path: str
    kubeconfig: Path

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Return what kubectl says; `StepFailed` where it, or the server, refuses."""
        return output_of(self._command(self.kubectl_path, arguments), text=text)

    def helm(self, *arguments: str) -> str:
        """Return what Helm says; `StepFailed` where it, or the server, refuses."""
        return output_of(self._command(self.helm_path, arguments))

    def is_ready(self) -> bool:
        """Tell whether the server takes requests."""
        ask = self._command(self.kubectl_path, ("get", "--raw", "/readyz"))
        return subprocess.run(ask, capture_output=True, timeout=30, check=False).returncode == 0

    def _command(self, program: str, arguments: Sequence[str]) -> list[str]:
        return [program, f"--kubeconfig={self.kubeconfig}", f"--namespace={NAMESPACE}", *arguments]


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Run an empty one while the block runs; `MissingTool` where one of its programs is not here.

    Its namespace refuses pods that Pod Security's level `restricted` does not allow.
    """
    cluster = Cluster(need("kubectl", _KUBECTL), need("helm", _HELM), folder / "kubeconfig")
    etcd = need("etcd", "apt-get install --no-install-recommends etcd-server")
    if not API_SERVER.exists():
        raise MissingTool(
            API_SERVER.name, "make build/ops/kube-apiserver (Go, 10 minutes and 2 GB)"
        )
    etcd_port, peer_port, port = free_port(), free_port(), free_port()
    token = secrets.token_hex(16)
    certificates = folder / "certificates"
    _write_access(cluster.kubeconfig, folder, port=port, token=token)
    with (
        running_process(_etcd(etcd, folder, etcd_port, peer_port), folder / "etcd.log"),
        running_process(
            _api_server(folder, certificates, etcd_port=etcd_port, port=port), folder / "api.log"
        ),
    ):
        try:
            wait_until(cluster.is_ready, 120, "the API server", every_s=0.5)
        except AssertionError as fault:
            raise StepFailed(f"{fault}\n{_end_of(folder / 'api.log')}") from fault
        cluster.kubectl("create", "namespace", NAMESPACE)
        level = "pod-security.kubernetes.io/enforce=restricted"
        cluster.kubectl("label", "namespace", NAMESPACE, level)
        # What a controller makes in a whole cluster.
        cluster.kubectl("create", "serviceaccount", "default")
        yield cluster


def _write_access(kubeconfig: Path, folder: Path, *, port: int, token: str) -> None:
    """Write who the administrator is: for the server, and for its clients."""
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "here", "user": "admin"}}],
                "clusters": [
                    {
                        "name": "here",
                        "cluster": {
                            "server": f"https://127.0.0.1:{port}",
                            "certificate-authority": str(folder / "certificates/apiserver.crt"),
                        },
                    }
                ],
                "users": [{"name": "admin", "user": {"token": token}}],
            }
        )
    )
    kubeconfig.chmod(0o600)


def _etcd(program: str, folder: Path, port: int, peer_port: int) -> list[str]:
    clients, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    return [
        program,
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
    ]


def _api_server(folder: Path, certificates: Path, *, etcd_port: int, port: int) -> list[str]:
    key = folder / "service-accounts.key"
    output_of([need("openssl", "apt-get install openssl"), "genrsa", "-out", key, "2048"])
    return [
        str(API_SERVER),
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        # It signs a certificate of its own.
        f"--cert-dir={certificates}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.0.0.0/24",
    ]


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:])
