"""What a rollout costs where nothing is to be done: one request for each of a thousand simulated clusters.

Every cluster is an API server with its own port, authority and certificate, all in one process beside ours. Each is
asked over a new TLS connection; its parent names the release already. The cost is split by what the time goes to:

files      loading the inventory, rendering every release, looking up how each cluster is reached
survey     the request itself: TLS, HTTP, decoding the parent, one client per cluster
wire       the same request without fleetctl's own client: the transport alone, for comparison
plan       waves, members, digest
journal    the run, its members and releases into SQLite, before anything is touched
work       claims, outcomes, events, the live state of a plain view: everything after that

    python tests/bench/unchanged.py
    python tests/bench/unchanged.py --sites 5000 --rounds 1
"""

import argparse
import asyncio
import contextlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from fleetctl.clusters import connecting
from fleetctl.console import plain
from fleetctl.inventory import fleets as inventories
from fleetctl.inventory import locating
from fleetctl.kube import applysets, curl, transport
from fleetctl.model import events, plans
from fleetctl.rendering import bundles
from fleetctl.rollout import engine, orders, planning, preparing, proposing, starting
from fleetctl.runs import loops, stopping
from fleetctl.sim import fleets
from fleetctl.state import databases
from tests.bench import measuring

_HEAD = "apiVersion: fleetctl.dev/v1alpha1\n"
_TEMPLATE = """\
apiVersion: v1
kind: Namespace
metadata: {name: app}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {site: {{ site.name | k }}}
"""
_STRATEGY = plans.Strategy(waves=(plans.WaveRule(),), soak=0.0)


def _lay_out(root: pathlib.Path, sites: int) -> list[str]:
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
    (root / "templates" / "app" / "app.yaml.j2").write_text(_TEMPLATE, encoding="utf-8")
    return names


@contextlib.contextmanager
def _serving(root: pathlib.Path, names: list[str]) -> Iterator[pathlib.Path]:
    folder = root / "sim"
    folder.mkdir()
    (folder / fleets.FLEET).write_text(json.dumps({"sites": names}), encoding="utf-8")
    command = [sys.executable, "-m", "fleetctl.sim", str(folder)]
    with subprocess.Popen(command, env=measuring.environment()) as process:
        try:
            while not (folder / fleets.KUBECONFIG).exists():
                time.sleep(0.1)
                assert process.poll() is None, "the simulated fleet has ended"
            yield folder / fleets.KUBECONFIG
        finally:
            process.terminate()


class _Split:
    """CPU seconds by what they went to."""

    def __init__(self) -> None:
        self.costs: dict[str, float] = {}

    @contextlib.contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Count what happens inside."""
        before = time.process_time()
        yield
        self.costs[name] = self.costs.get(name, 0.0) + time.process_time() - before


async def _wire_alone(endpoints: dict[str, transport.Endpoint]) -> None:
    path = applysets.path("app", "app")
    waiting = iter(endpoints.values())
    async with curl.CurlTransport() as wire:

        async def worker() -> None:
            for endpoint in waiting:
                session = wire.session(endpoint)
                answer = await session.send(transport.Request("GET", path, 30.0))
                assert answer.status == 200
                session.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(256):
                group.create_task(worker())


def _start(root: pathlib.Path, kubeconfig: pathlib.Path) -> tuple[_Split, events.RunState]:
    """Do what ``fleetctl rollout start app --all`` does, counting."""
    split = _Split()
    with split.of("files"):
        loaded = inventories.load(locating.find(root))
        chosen = list(loaded.fleet.sites.values())
        bundle = bundles.load(loaded.project.templates, "app", loaded.project.shown)
        prepared = preparing.prepare(loaded, chosen, bundle, orders.PLAIN)
        described = preparing.described(prepared, plans.Kind.ROLLOUT, loaded.project, _STRATEGY, plans.Options())
        endpoints = connecting.Directory(root, kubeconfig).require(chosen)
    with databases.open_store(root / "state.db") as store:

        async def work() -> events.RunState:
            async with curl.CurlTransport() as wire:
                ready = engine.Engine(store, wire, endpoints, project="bench")
                with split.of("survey"):
                    found = await ready.survey(chosen, "app", "app", 256, lambda _: None)
                with split.of("plan"):
                    preview = planning.make(described, prepared.wanted, found, ready.known, prepared.left_out)
                proposal = proposing.Proposal(preview, tuple(prepared.releases), found)
                with split.of("journal"):
                    run = await starting.begin(store, proposal)
                with split.of("work"):
                    view = plain.Plain(io.StringIO())
                    return await ready.work(run, preview.plan, view.observe, stopping.Stop(), readings=found)

        state = loops.run(work())
    with split.of("wire"):
        loops.run(_wire_alone(endpoints))
    return split, state


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    measuring.header(
        f"A rollout that changes nothing, {given.sites:,} simulated clusters", "pycurl", "uvloop", "msgspec"
    )
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        names = _lay_out(root, given.sites)
        began = time.perf_counter()
        with _serving(root, names) as kubeconfig:
            measuring.say(f"fleet ready after {time.perf_counter() - began:.1f} s")
            _, state = _start(root, kubeconfig)  # the first one installs
            measuring.say(f"installed: {state}")
            splits = []
            for _ in range(given.rounds):
                wall = time.perf_counter()
                split, state = _start(root, kubeconfig)
                splits.append(split.costs)
                measuring.say(f"{state} after {time.perf_counter() - wall:.1f} s")
    measuring.split({name: [1000 * one[name] / given.sites for one in splits] for name in splits[0]}, "wire")
    return 0


if __name__ == "__main__":
    sys.exit(main())
