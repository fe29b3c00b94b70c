"""Real Kubernetes clusters on loopback ports: each an API server, its controllers, its scheduler and kwok with a node.

They are of two minors in turns, as the clusters of a fleet are while it is being upgraded. All share one etcd, in which
each has its own prefix. That makes a cluster cheap, and resourceVersions jump: another cluster's writes count too.
Pods come to nothing but a status; their image's tag decides which (stages/pods.yaml).
Every program is killed at the latest when the process that started it ends, however it ends.
"""

import base64
import json
import pathlib
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.contract import plainhttp
from tests.kubebox import certificates, commands, processes

__all__ = ["GUEST", "MINORS", "Cluster", "Fleet", "Programs", "wait", "write_kubeconfig"]

GUEST = "guest"
"""A user who may do nothing that every authenticated user may not: bind roles to it."""

MINORS = ("1.36", "1.34")
"""The minors of Kubernetes that there are clusters of, as build makes them; the newest first."""

_PATIENCE = 90
_TOGETHER = 2  # API servers that start at a time: more gain nothing on two cores, and none would be ready soon


class Programs(NamedTuple):
    """What a cluster is made of."""

    minor: str
    kubebox: pathlib.Path
    kwok: pathlib.Path


class Cluster:
    """One cluster. Its API server can be stopped, killed, paused and started again, always on the same port."""

    def __init__(self, name: str, folder: pathlib.Path, programs: Programs, etcd: str) -> None:
        """Write all the files that the parts need; nothing runs yet."""
        self.name = name
        self.minor = programs.minor
        """The minor of Kubernetes, as 1.36."""
        self.folder = folder
        self._held = processes.reserve()
        self.port: int = self._held.getsockname()[1]
        authority = certificates.Authority(name)
        self.authority = authority.certificate
        """The certificate that all of this cluster's are signed by (PEM)."""
        self.admin = authority.client("admin", "system:masters")
        """A client certificate that may do anything."""
        self.token = f"admin-of-{name}"
        """A bearer token that may do anything."""
        self.guest_token = f"guest-of-{name}"
        """A bearer token of the user ``GUEST``."""
        folder.mkdir(parents=True)
        self._write_files(authority)
        binary = programs.kubebox
        self._serving: list[str | pathlib.Path] = [binary, *commands.api_server(folder, self.port, etcd, f"/{name}")]
        self.api_server = processes.Process(self._serving, folder / "kube-apiserver.log")
        """The API server's process."""
        self.others = [
            processes.Process([binary, *commands.controller_manager(folder)], folder / "kube-controller-manager.log"),
            processes.Process([binary, *commands.scheduler(folder)], folder / "kube-scheduler.log"),
            processes.Process([programs.kwok, *commands.kwok(folder)], folder / "kwok.log"),
        ]
        """The processes of the controllers, the scheduler and kwok."""

    @property
    def url(self) -> str:
        """The address of the API server."""
        return f"https://127.0.0.1:{self.port}"

    def api(self, token: str | None = None) -> plainhttp.Api:
        """Return a way to call the API as an administrator, or as whom the token says."""
        return plainhttp.Api(self.port, self.authority, self.token if token is None else token)

    def _write_files(self, authority: certificates.Authority) -> None:
        server, accounts = authority.server(), certificates.new_key()
        files = {
            "ca.crt": self.authority,
            "server.crt": server.certificate,
            "server.key": server.key,
            "accounts.key": certificates.private_pem(accounts),
            "accounts.pub": certificates.public_pem(accounts),
            "tokens.csv": f"{self.token},admin,admin,system:masters\n{self.guest_token},{GUEST},{GUEST}\n".encode(),
        }
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        for part in ("kube-controller-manager", "kube-scheduler"):
            write_kubeconfig(self.folder / f"{part}.json", {part: self}, authority.client(f"system:{part}"))
        write_kubeconfig(self.folder / "kwok.json", {"kwok": self}, self.admin)

    def start(self) -> None:
        """Start the API server, or let it go on where it was paused; ``wait`` says when it is ready."""
        if self.api_server.alive:
            self.api_server.resume()
        else:
            self.api_server.start()

    def restart(self, *flags: str) -> None:
        """Start the API server anew with more flags than it has at first; ``wait`` says when it is ready."""
        self.stop()
        self.api_server = processes.Process([*self._serving, *flags], self.folder / "kube-apiserver.log")
        self.start()

    def stop(self) -> None:
        """End the API server as a power cut does; its port refuses connections when this returns.

        There is no gentler way: asked to end, it serves its watchers for most of a minute first.
        """
        self.api_server.end()

    def pause(self) -> None:
        """Freeze the API server: connections are taken, nothing is answered."""
        self.api_server.pause()

    def answers(self) -> bool:
        """Tell whether the API server is ready now."""
        assert self.api_server.alive, f"kube-apiserver ended:\n{self.api_server.complaint()}"
        return self.api().answers("/readyz")

    def start_others(self) -> None:
        """Start what makes an API server a cluster, and give it a node; ``serves_pods`` says when all of it works."""
        for process in self.others:
            process.start()
        self.add_node("node-1")

    def wait(self) -> None:
        """Wait until the API server is ready."""
        wait(f"the API server of {self.name} is ready", self.answers)

    def add_node(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        """Give the cluster a node with 4 cores and 8 GiB; it is Ready once ``serves_pods`` says so."""
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": dict(labels or {})}}
        answer = self.api().call("POST", "/api/v1/nodes", node)
        assert answer.status == 201, answer.text

    def serves_pods(self) -> bool:
        """Tell whether pods can be made (their service account is there) and every node takes them."""
        api = self.api()
        if not api.answers("/api/v1/namespaces/default/serviceaccounts/default"):
            return False
        nodes = api.call("GET", "/api/v1/nodes").json["items"]
        return bool(nodes) and all(_takes_pods(node) for node in nodes)

    def close(self) -> None:
        """Kill all parts, and give the port back."""
        for process in (*self.others, self.api_server):
            process.end()
        self._held.close()

    def complaint(self) -> str:
        """Return what the parts' logs complain of last."""
        return "\n".join(process.complaint() for process in (self.api_server, *self.others))


class Fleet:
    """Clusters that grow in number as tests ask for them, of all minors in turns, on one etcd."""

    def __init__(self, folder: pathlib.Path, programs: Mapping[str, pathlib.Path]) -> None:
        """Keep everything in a folder; the programs are what build makes, by name. Nothing runs yet."""
        self.folder = folder
        self.binaries = {minor: programs[f"kubebox-{minor}"] for minor in MINORS}
        """Each minor's kubebox."""
        self.binary = self.binaries[MINORS[0]]
        """The newest minor's kubebox."""
        self._kwok = programs["kwok"]
        self._clusters: list[Cluster] = []
        self._held = [processes.reserve(), processes.reserve()]
        self._etcd_url, peer = (f"http://127.0.0.1:{held.getsockname()[1]}" for held in self._held)
        self._etcd = processes.Process([self.binary, *commands.etcd(folder, self._etcd_url, peer)], folder / "etcd.log")

    def clusters(self, count: int) -> list[Cluster]:
        """Return the first ``count`` clusters, all ready: made if they are new, brought back if a test ended them."""
        if not self._etcd.alive:
            self._etcd.start()
            # An API server that finds no etcd tries again after a second.
            wait("etcd listens", lambda: processes.listens(self._held[0].getsockname()[1]))
        while (number := len(self._clusters)) < count:
            name, minor = f"c{number:03}", MINORS[number % len(MINORS)]
            programs = Programs(minor, self.binaries[minor], self._kwok)
            self._clusters.append(Cluster(name, self.folder / name, programs, self._etcd_url))
        wanted = self._clusters[:count]
        away, starting, fresh = deque(wanted), list[Cluster](), list[Cluster]()

        def go_on() -> bool:
            while away and len(starting) < _TOGETHER:
                cluster = away.popleft()
                cluster.start()
                starting.append(cluster)
            for cluster in [cluster for cluster in starting if cluster.answers()]:
                starting.remove(cluster)
                if not cluster.others[0].alive:
                    fresh.append(cluster)
                    cluster.start_others()
            return not away and not starting and all(cluster.serves_pods() for cluster in fresh)

        wait(f"{count} clusters are ready", go_on, _PATIENCE + 10 * count)
        return wanted

    def cluster(self, minor: str = MINORS[0]) -> Cluster:
        """Return the first cluster of a minor, ready."""
        return self.clusters(MINORS.index(minor) + 1)[-1]

    def close(self) -> None:
        """Kill everything. The folder stays, for its logs."""
        for cluster in self._clusters:
            cluster.close()
        self._etcd.end()
        for held in self._held:
            held.close()
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)

    def complaint(self) -> str:
        """Return what every log complains of last."""
        return "\n".join([self._etcd.complaint(), *(cluster.complaint() for cluster in self._clusters)])


def write_kubeconfig(
    path: pathlib.Path, contexts: Mapping[str, Cluster], user: certificates.Pair | None = None
) -> None:
    """Write a kubeconfig, in JSON, with one context for each name; the first is the current one.

    Users are known by the clusters' tokens. With ``user``, a client certificate of the only cluster, they are by that.
    """
    names = list(contexts)
    data = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": names[0],
        "clusters": [
            {
                "name": name,
                "cluster": {"server": cluster.url, "certificate-authority-data": _base64(cluster.authority)},
            }
            for name, cluster in contexts.items()
        ],
        "users": [
            {
                "name": name,
                "user": {"token": cluster.token}
                if user is None
                else {
                    "client-certificate-data": _base64(user.certificate),
                    "client-key-data": _base64(user.key),
                },
            }
            for name, cluster in contexts.items()
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
    }
    path.touch(0o600)
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _takes_pods(node: dict[str, Any]) -> bool:
    conditions = {found["type"]: found["status"] for found in node["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")


def wait(what: str, done: Callable[[], bool], patience: float = _PATIENCE) -> None:
    """Wait until something is so; ``what`` names it where it never is."""
    until = time.monotonic() + patience
    while not done():
        assert time.monotonic() < until, f"after {patience:.0f} s it is still not so that {what}"
        time.sleep(0.05)
