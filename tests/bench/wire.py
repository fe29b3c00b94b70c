"""What the wire to a cluster costs: fleetctl's client beside Go's net/http and others, on thousands of TLS servers.

A farm in Go serves each cluster on an address, with an authority and a token, of its own. Each client visits every
cluster once: a new connection with a full TLS 1.3 handshake, a server-side apply, a GET, both decoded. Clients run in
turns, on one core; the farm has the other, and how busy it was is printed, so that one sees that it was not what
limits. So is the key exchange that each client came to: the hybrid one costs a fifth of a visit, and who does not have
it does less. The CPU is that of the visits alone, without the start of the process.

    python tests/bench/wire.py                                 # 2,000 clusters
    python tests/bench/wire.py --clusters 10000 --rounds 3 --only fleetctl
    python tests/bench/wire.py --requests 20                   # of each visit
    python tests/bench/wire.py --certificates                  # instead of tokens
    python tests/bench/wire.py --peers PYTHON                  # which has aiohttp, uvloop, httpx and kubernetes
    python tests/bench/wire.py --kubebox FOLDER                # eight real API servers; tests/kubebox/build

It needs Go (1.26 or newer) on PATH.
"""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from tests.bench import measuring
from tests.kubebox import clusters

_HERE = pathlib.Path(__file__).parent / "wire"
_GO = shutil.which("go") or ""
_OURS = ("go", "fleetctl", "multi", "pycurl", "kubectl")
_PEERS = ("aiohttp", "httpx", "kubernetes")
_REAL, _AGAIN = 8, 25
"""Real clusters, which are too dear to be many, and how often each is visited."""
_FEW = 20
"""Clusters that kubectl is called for, a process for each request; its figures are for each visit, like all others."""


def build(folder: pathlib.Path) -> pathlib.Path:
    """Build the Go program; returns its path."""
    program = folder / "wire"
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
    subprocess.run([_GO, "build", "-o", program, "."], cwd=_HERE, env=environment, check=True)
    return program


def _write_objects(folder: pathlib.Path) -> None:
    """Write what is applied, and what the farm answers: the same with all that an API server adds, 3 kB of it."""
    container = {
        "name": "till",
        "image": "registry.example/till:1.0",
        "ports": [{"containerPort": 8443, "name": "https"}],
        "env": [{"name": f"SETTING_{number}", "value": str(number)} for number in range(8)],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "https", "scheme": "HTTPS"}},
    }
    labels = {"app": "till"}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    meta = {"name": "till", "namespace": "pos", "labels": {**labels, "applyset.kubernetes.io/part-of": "applyset-x-v1"}}
    wanted = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
    fields = {"f:metadata": {"f:labels": {f"f:{key}": {} for key in meta["labels"]}}, "f:spec": _fields(spec)}
    entry = {"manager": "fleetctl:pos", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1"}
    moment = "2026-11-28T08:00:00Z"
    given = {"uid": "0b1f4a52-6f0e-4f57-9d0c-3f5b1a7c9e11", "resourceVersion": "81234", "generation": 3}
    conditions = [
        {"type": kind, "status": "True", "reason": why, "message": "as it should be", "lastUpdateTime": moment}
        for kind, why in (("Available", "MinimumReplicasAvailable"), ("Progressing", "NewReplicaSetAvailable"))
    ]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    there = {
        **wanted,
        "metadata": {
            **meta,
            **given,
            "creationTimestamp": moment,
            "annotations": {"deployment.kubernetes.io/revision": "3"},
            "managedFields": [
                {**entry, "time": moment, "fieldsV1": fields},
                {
                    "manager": "kube-controller-manager",
                    "operation": "Update",
                    "subresource": "status",
                    "time": moment,
                    "fieldsV1": {"f:status": {f"f:{key}": {} for key in (*counts, "conditions", "observedGeneration")}},
                },
            ],
        },
        "status": {"observedGeneration": 3, **counts, "conditions": conditions},
    }
    (folder / "apply.json").write_text(json.dumps(wanted), encoding="utf-8")
    (folder / "object.json").write_text(json.dumps(there), encoding="utf-8")


def _fields(value: object) -> dict[str, object]:
    """Return the managed fields of a value, much as an API server writes them."""
    if isinstance(value, dict):
        return {f"f:{key}": _fields(one) for key, one in value.items()}
    if isinstance(value, list):
        named = [(f"k:{json.dumps({'name': one.get('name')})}", one) for one in value if isinstance(one, dict)]
        return {name: {".": {}, **_fields(one)} for name, one in named}
    return {}


class Farm:
    """The process that serves clusters."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def busy(self) -> float:
        """Return the CPU seconds that it has used."""
        text = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def exchanges(self) -> str:
        """Return the key exchanges of the connections that requests came by since this was last asked."""
        to, back = self._process.stdin, self._process.stdout
        if to is None or back is None:
            raise SystemExit("the farm has no pipes")
        to.write("\n")
        to.flush()
        return " and ".join(sorted(json.loads(back.readline())))


@contextlib.contextmanager
def farm(program: pathlib.Path, folder: pathlib.Path, count: int) -> Iterator[Farm]:
    """Serve clusters, on the last core; gives the farm. It ends when its standard input does."""
    _write_objects(folder)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([program, "farm", folder, str(count)], text=True, **pipes) as process:
        os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
        while not (folder / "fleet.json").exists():
            if process.poll() is not None:
                raise SystemExit("the farm has ended")
            time.sleep(0.05)
        yield Farm(process)
        process.stdin.close()  # type: ignore[union-attr]  # a pipe, as asked


@contextlib.contextmanager
def kubebox(programs: pathlib.Path, folder: pathlib.Path, count: int) -> Iterator[None]:
    """Start real clusters, each with the Deployment's namespace, and describe them as the farm does."""
    _write_objects(folder)
    body = (folder / "apply.json").read_text(encoding="utf-8")
    (folder / "kubebox").mkdir()
    fleet = clusters.Fleet(folder / "kubebox", {one.name: one for one in programs.iterdir()})
    try:
        found = []
        for one in fleet.clusters(count):
            space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pos"}}
            one.api().call("POST", "/api/v1/namespaces", space)
            proof = {"token": one.token, "cert": one.admin.certificate.decode(), "key": one.admin.key.decode()}
            found.append({"server": one.url, "ca": one.authority.decode(), **proof})
        path = "/apis/apps/v1/namespaces/pos/deployments/till"
        told = {"path": path, "body": body, "clusters": found * _AGAIN}
        (folder / "fleet.json").write_text(json.dumps(told), encoding="utf-8")
        yield
    finally:
        fleet.close()


class _Runner:
    """Runs clients on the first core, one at a time."""

    def __init__(self, program: pathlib.Path, folder: pathlib.Path, given: argparse.Namespace) -> None:
        self._program, self._folder, self._given = program, folder, given
        told = json.loads((folder / "fleet.json").read_bytes())
        few = {**told, "clusters": told["clusters"][:_FEW]}
        (folder / "few").mkdir()
        (folder / "few" / "fleet.json").write_text(json.dumps(few), encoding="utf-8")
        self._visits, self._few = len(told["clusters"]), len(few["clusters"])

    def __call__(self, name: str) -> measuring.Cost | None:
        """Return what one visit of a client costs; None where it cannot be run here."""
        given = self._given
        words = [
            str(self._folder / "few" if name == "kubectl" else self._folder),
            str(given.requests),
            str(given.at_a_time),
        ]
        words += ["certificate"] if given.certificates else []
        if name == "go":
            command: list[str] = [str(self._program), "visit", *words]
        else:
            python = str(given.peers) if name in _PEERS else sys.executable
            command = [python, str(_HERE / "clients.py"), name, *words]
        environment = {**measuring.environment(), "GOMAXPROCS": "1"}
        cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(cores)})  # which a child takes over
        try:
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
                text = process.communicate()[0]
        finally:
            os.sched_setaffinity(0, cores)
        if process.returncode:
            return None
        told, visits = json.loads(text), self._few if name == "kubectl" else self._visits
        return measuring.Cost(told["cpu"] / visits, told["wall"] / visits, told["peak"])


def _rounds(
    names: Sequence[str], run: _Runner, given: argparse.Namespace, served: Farm | None
) -> dict[str, list[measuring.Cost]]:
    costs: dict[str, list[measuring.Cost]] = {name: [] for name in names}
    told: dict[str, str] = {}
    for number in range(given.rounds):
        for name in list(costs)[:: -1 if number % 2 else 1]:
            before, began = served.busy() if served else 0.0, time.perf_counter()
            cost = run(name)
            if cost is None:
                measuring.say(f"{name}: left out, it cannot be run here")
                del costs[name]
                continue
            costs[name].append(cost)
            if served:
                share = (served.busy() - before) / (time.perf_counter() - began)
                told[name] = f"{name} {share:.0%}, {served.exchanges()}"
    if told:
        measuring.say("the farm's core was busy, and keys were exchanged: " + "; ".join(told.values()))
    return costs


def _table(costs: dict[str, list[measuring.Cost]]) -> None:
    """Print milliseconds of CPU for a visit, and what that is to Go's of the same round."""
    base = costs.get("go")
    measuring.say(f"\n{'client':12} {'CPU ms a visit':>24} {'to Go':>20} {'visits/s':>9} {'peak MiB':>9}")
    for name, runs in costs.items():
        each = [1000 * run.cpu for run in runs]
        ratios = [run.cpu / go.cpu for run, go in zip(runs, base or (), strict=False)]
        told = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} - {max(ratios):.2f})" if ratios else "-"
        cpu = f"{statistics.median(each):.2f} ({min(each):.2f} - {max(each):.2f})"
        rate, peak = 1 / statistics.median(run.wall for run in runs), max(run.peak for run in runs)
        measuring.say(f"{name:12} {cpu:>24} {told:>20} {rate:9,.0f} {peak:9,.0f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clusters", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2)
    parser.add_argument("--at-a-time", type=int, default=64)
    parser.add_argument("--certificates", action="store_true")
    parser.add_argument("--peers", type=pathlib.Path)
    parser.add_argument("--kubebox", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", default=[])
    return parser.parse_args()


def main() -> int:
    """Measure and print."""
    given = _arguments()
    if not _GO:
        raise SystemExit("no Go on PATH: the farm, and the client that all are held against, are written in it")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    names = [
        name for name in (*_OURS, *(_PEERS if given.peers else ())) if not given.only or name in (*given.only, "go")
    ]
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        program = build(folder)
        count = min(_REAL, given.clusters) if given.kubebox else given.clusters
        where = f"{count} real clusters, each visited {_AGAIN} times" if given.kubebox else f"{count:,} clusters"
        proof = "client certificates" if given.certificates else "tokens"
        measuring.header(f"{where}, {given.requests} requests a visit, {proof}", "pycurl", "uvloop", "msgspec")
        with contextlib.ExitStack() as stack:
            served = None
            if given.kubebox:
                stack.enter_context(kubebox(given.kubebox, folder, count))
            else:
                served = stack.enter_context(farm(program, folder, count))
            run = _Runner(program, folder, given)
            _table(_rounds(names, run, given, served))
    return 0


if __name__ == "__main__":
    sys.exit(main())
