"""Waiting for health: what it costs for 200 simulated clusters whose Deployments take 1 to 10 seconds.

Counted are the requests of a visit, CPU of ours and of the fleet, and how long after its pods were ready a site had its
outcome: all that is before and after the waiting is in it. Each round is run twice, with watches between two looks and
with pauses alone, as where watches are refused.

    python tests/bench/observing.py
"""

import argparse
import contextlib
import io
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from fleetctl.clusters import connecting
from fleetctl.console import plain
from fleetctl.inventory import fleets as inventories
from fleetctl.inventory import locating
from fleetctl.kube import answers, curl
from fleetctl.model import plans
from fleetctl.rendering import bundles
from fleetctl.rollout import engine, orders, planning, preparing, proposing, resting, starting
from fleetctl.runs import loops, stopping
from fleetctl.sim import fleets
from fleetctl.state import databases, rows
from tests.bench import measuring

_HEAD = "apiVersion: fleetctl.dev/v1alpha1\n"
_WORKLOAD = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web-%d}
spec:
  replicas: 2
  selector: {matchLabels: {app: web-%d}}
  template:
    metadata: {labels: {app: web-%d}}
    spec:
      containers: [{name: web, image: "app:1"}]
"""
_STRATEGY = plans.Strategy(waves=(plans.WaveRule(),), soak=0.0, concurrency=256)


def _lay_out(root: pathlib.Path, sites: int, workloads: int) -> list[str]:
    names = [f"store-{number:05}" for number in range(sites)]
    (root / "inventory").mkdir()
    (root / "templates" / "app").mkdir(parents=True)
    (root / "fleetctl.yaml").write_text(f"{_HEAD}kind: Project\nname: bench\n", encoding="utf-8")
    listed = "".join(f"- {{name: {name}}}\n" for name in names)
    (root / "inventory" / "sites.yaml").write_text(f"{_HEAD}kind: SiteList\nsites:\n{listed}", encoding="utf-8")
    defaults = f"{_HEAD}kind: Defaults\nbundles: {{app: {{}}}}\n"
    (root / "inventory" / "defaults.yaml").write_text(defaults, encoding="utf-8")
    bundle = f"{_HEAD}kind: Bundle\nname: app\nversion: 1.0.0\nnamespace: app\n"
    (root / "templates" / "app" / "bundle.yaml").write_text(bundle, encoding="utf-8")
    text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: app}\n"
    text += "".join(_WORKLOAD % (number, number, number) for number in range(workloads))
    (root / "templates" / "app" / "app.yaml.j2").write_text(text, encoding="utf-8")
    return names


@contextlib.contextmanager
def _serving(root: pathlib.Path, names: list[str]) -> Iterator[tuple[pathlib.Path, int]]:
    folder = root / "sim"
    folder.mkdir()
    rules = [{"sites": f"*{digit}", "after": float(digit or 10)} for digit in range(10)]
    (folder / fleets.FLEET).write_text(json.dumps({"sites": names, "rules": rules}), encoding="utf-8")
    command = [sys.executable, "-m", "fleetctl.sim", str(folder)]
    with subprocess.Popen(command, env=measuring.environment()) as process:
        try:
            while not (folder / fleets.KUBECONFIG).exists():
                time.sleep(0.1)
                assert process.poll() is None, "the simulated fleet has ended"
            yield folder / fleets.KUBECONFIG, process.pid
        finally:
            process.terminate()


def _cpu(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def _refused(*_: object) -> None:
    raise answers.Failure("forbidden", "Forbidden", "no watches in this run")


def _start(root: pathlib.Path, kubeconfig: pathlib.Path, pid: int, how: str) -> None:
    loaded = inventories.load(locating.find(root))
    chosen = list(loaded.fleet.sites.values())
    bundle = bundles.load(loaded.project.templates, "app", loaded.project.shown)
    prepared = preparing.prepare(loaded, chosen, bundle, orders.PLAIN)
    described = preparing.described(prepared, plans.Kind.ROLLOUT, loaded.project, _STRATEGY, plans.Options())
    endpoints = connecting.Directory(root, kubeconfig).require(chosen)
    with databases.open_store(root / "state.db") as store:

        async def work() -> str:
            async with curl.CurlTransport() as wire:
                ready = engine.Engine(store, wire, endpoints, project="bench")
                found = await ready.survey(chosen, "app", "app", 256, lambda _: None)
                preview = planning.make(described, prepared.wanted, found, ready.known, prepared.left_out)
                proposal = proposing.Proposal(preview, tuple(prepared.releases), found)
                run = await starting.begin(store, proposal)
                ours, theirs = time.process_time(), _cpu(pid)
                state = await ready.work(run, preview.plan, plain.Plain(io.StringIO()).observe, stopping.Stop())
                ours, theirs = time.process_time() - ours, _cpu(pid) - theirs
                done = store.read(lambda conn: rows.rows_of(conn, "run = ?", run.id))
                count = len(done)
                late = [(row.ended or 0) - (row.started or 0) - float(int(row.site[-1]) or 10) for row in done]
                return (
                    f"{how}, {state}: {sum(row.requests for row in done) / count:.1f} requests a site, "
                    f"{1000 * ours / count:.1f} ms of ours, {1000 * theirs / count:.1f} ms of the fleet's, "
                    f"done {statistics.median(late):.2f} s (at most {max(late):.2f} s) after its pods were ready"
                )

        measuring.say(loops.run(work()))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=200)
    parser.add_argument("--workloads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    measuring.header(f"Waiting for health, {given.sites:,} simulated clusters", "pycurl", "uvloop", "msgspec")
    for number in range(given.rounds):
        for how in ("watches", "pauses ")[:: -1 if number % 2 else 1]:
            with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
                if how != "watches":
                    stack.enter_context(mock.patch.object(resting.Rest, "_watched", _refused))
                root = pathlib.Path(folder)
                names = _lay_out(root, given.sites, given.workloads)
                with _serving(root, names) as (kubeconfig, pid):
                    _start(root, kubeconfig, pid, how)
    return 0


if __name__ == "__main__":
    sys.exit(main())
