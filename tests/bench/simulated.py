"""What a simulated fleet costs: memory and CPU of the process that serves it, by clusters and by requests.

Every cluster is asked over a TLS connection of its own, first once (a handshake and one GET, which makes the server's
certificate), then with 20 requests on one connection: ten server-side applies of a ConfigMap that change it, and ten
GETs of it. The client is the wire alone, in this process; its CPU is beside that of the fleet, so that whoever measures
with a simulated fleet knows which of the two holds the other up.

    python tests/bench/simulated.py                       # 1,000 and 5,000 clusters
    python tests/bench/simulated.py --sites 20000
"""

import argparse
import asyncio
import json
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
os.environ["PYTHONPATH"] = str(pathlib.Path(__file__).resolve().parents[2])
from fleetctl.clusters import connecting
from fleetctl.kube import curl, transport
from fleetctl.model import sites
from fleetctl.runs import loops
from fleetctl.sim import fleets, folders
from tests.bench import measuring

_AT_A_TIME = 64
_NAMESPACE = "/api/v1/namespaces/default"
_OBJECT = f"{_NAMESPACE}/configmaps/bench?fieldManager=bench"


class _Used(NamedTuple):
    """CPU seconds and resident MiB of the fleet's process, CPU seconds of ours, requests so far."""

    fleet: float
    memory: float
    client: float
    requests: int


def _used(pid: int, requests: int) -> _Used:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    tick = os.sysconf("SC_CLK_TCK")
    memory = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return _Used((int(fields[11]) + int(fields[12])) / tick, memory, time.process_time(), requests)


def _visit(applies: int) -> Iterator[transport.Request]:
    for number in range(applies):
        body = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "bench"},
            "data": {"number": f"{number} {time.monotonic_ns()}"},
        }
        yield transport.Request("PATCH", _OBJECT, 60.0, json.dumps(body).encode(), "application/apply-patch+yaml")
        yield transport.Request("GET", _OBJECT, 60.0)
    if not applies:
        yield transport.Request("GET", _NAMESPACE, 60.0)


async def _ask(endpoints: list[transport.Endpoint], applies: int) -> int:
    """Visit every cluster, so many at a time; returns how many requests were answered well."""
    waiting, answered = iter(endpoints), 0
    async with curl.CurlTransport() as wire:

        async def worker() -> None:
            nonlocal answered
            for endpoint in waiting:
                session = wire.session(endpoint)
                for request in _visit(applies):
                    answer = await session.send(request)
                    assert answer.status in {200, 201}, answer.body[:200]
                    answered += 1
                session.close()

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_A_TIME):
                group.create_task(worker())
    return answered


def _measure(number: int) -> None:
    names = tuple(f"site-{one:05}" for one in range(number))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "sim"
        began = time.perf_counter()
        with folders.begin(folder, fleets.Spec(names), {}) as process:
            try:
                seconds = time.perf_counter() - began
                steps = [_used(process.pid, 0)]
                known = connecting.Directory(pathlib.Path(temporary), folder / fleets.KUBECONFIG)
                endpoints = list(known.require(sites.Site(name) for name in names).values())
                for applies in (0, 10):
                    before = _used(process.pid, 0)
                    answered = loops.run(_ask(endpoints, applies))
                    after = _used(process.pid, answered)
                    steps.append(
                        _Used(after.fleet - before.fleet, after.memory, after.client - before.client, answered)
                    )
            finally:
                process.terminate()
    begun, first, many = steps
    measuring.say(
        f"\n{number:,} clusters: up after {seconds:.1f} s, {begun.fleet:.1f} s of CPU, {begun.memory:.0f} MiB"
    )
    for title, step in (("a handshake and a GET", first), ("20 requests on one connection", many)):
        fleet, client = (1e6 * cpu / step.requests for cpu in (step.fleet, step.client))
        measuring.say(
            f"  {title}: {step.requests:,} requests, CPU per request {fleet:,.0f} us in the fleet, "
            f"{client:,.0f} us in the client; {step.memory:.0f} MiB afterwards"
        )


def main() -> int:
    """Measure each size and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, nargs="+", default=[1000, 5000])
    given = parser.parse_args()
    measuring.header("A simulated fleet", "pycurl", "uvloop", "msgspec")
    for number in given.sites:
        _measure(number)
    return 0


if __name__ == "__main__":
    sys.exit(main())
