"""The command line of each part of a cluster. Files are where ``clusters`` writes them: in the cluster's folder."""

import pathlib
from collections.abc import Mapping

__all__ = ["api_server", "controller_manager", "etcd", "kwok", "scheduler"]

_STAGES = pathlib.Path(__file__).parent / "stages"
# Without node-lifecycle new nodes keep their not-ready taint.
_CONTROLLERS = (
    "clusterrole-aggregation cronjob daemonset deployment disruption endpointslice garbage-collector job namespace"
    " node-lifecycle persistentvolume-binder replicaset replicationcontroller resourcequota"
    " root-ca-certificate-publisher serviceaccount serviceaccount-token statefulset taint-eviction"
    " validatingadmissionpolicy-status"
)


def _flags(options: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def etcd(folder: pathlib.Path, url: str, peer_url: str) -> list[str]:
    """Return the store of all clusters, which forgets everything at a power cut."""
    options = {
        "data-dir": folder / "etcd",
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": peer_url,
        "initial-advertise-peer-urls": peer_url,
        "initial-cluster": f"default={peer_url}",
        "socket-reuse-port": "true",
        "unsafe-no-fsync": "true",
        "quota-backend-bytes": 8 << 30,
        "log-level": "error",
    }
    return ["etcd", *_flags(options)]


def api_server(folder: pathlib.Path, port: int, etcd_url: str, prefix: str) -> list[str]:
    """Return an API server that keeps all its objects below a prefix."""
    options = {
        "etcd-servers": etcd_url,
        "etcd-prefix": prefix,
        "etcd-compaction-interval": "0",
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "permit-port-sharing": "true",
        "advertise-address": "192.0.2.1",  # an address that nobody has (RFC 5737): loopback is refused
        "endpoint-reconciler-type": "none",
        "service-cluster-ip-range": "10.0.0.0/24",
        "tls-cert-file": folder / "server.crt",
        "tls-private-key-file": folder / "server.key",
        "client-ca-file": folder / "ca.crt",
        "token-auth-file": folder / "tokens.csv",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": folder / "accounts.pub",
        "service-account-signing-key-file": folder / "accounts.key",
        "authorization-mode": "Node,RBAC",
        "allow-privileged": "true",
        "profiling": "false",
    }
    return ["kube-apiserver", *_flags(options)]


def controller_manager(folder: pathlib.Path) -> list[str]:
    """Return the controllers that workloads and namespaces need."""
    options = {
        "kubeconfig": folder / "kube-controller-manager.json",
        "leader-elect": "false",
        "secure-port": 0,
        "root-ca-file": folder / "ca.crt",
        "service-account-private-key-file": folder / "accounts.key",
        "use-service-account-credentials": "true",  # or RBAC refuses the controllers
        "kube-api-qps": 1000,  # 20 would cost each cluster's start two seconds
        "kube-api-burst": 1000,
        "controllers": ",".join(f"{name}-controller" for name in _CONTROLLERS.split()),
    }
    return ["kube-controller-manager", *_flags(options)]


def scheduler(folder: pathlib.Path) -> list[str]:
    """Return the scheduler."""
    options = {"kubeconfig": folder / "kube-scheduler.json", "leader-elect": "false", "secure-port": 0}
    return ["kube-scheduler", *_flags(options)]


def kwok(folder: pathlib.Path) -> list[str]:
    """Return kwok's arguments: it plays every node, as the files in stages/ say."""
    options = {
        "kubeconfig": folder / "kwok.json",
        "manage-all-nodes": "true",
        "node-lease-duration-seconds": 40,
        "cidr": "10.1.0.0/24",
    }
    return [*_flags(options), *(f"--config={path}" for path in sorted(_STAGES.glob("*.yaml")))]
