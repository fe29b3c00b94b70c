"""One visit to each cluster of a farm, by one client: what it costs, as JSON. Run by any Python that has the client.

    python clients.py CLIENT FOLDER REQUESTS AT_A_TIME [certificate]

A visit is a new connection with a full TLS handshake, verified against the cluster's own authority, a server-side
apply, then GETs of the same object, all decoded, on that connection. CPU and wall time are those of the visits alone;
the peak is the process's.
"""

# ruff: noqa: PLC0415  # each imports what it measures, which other Pythons need not have

import asyncio
import importlib
import json
import os
import pathlib
import resource
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent import futures
from typing import Any, NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))
_QUERY = "?fieldManager=fleetctl%3Apos&fieldValidation=Strict"
_APPLY = "application/apply-patch+yaml"
_TIMEOUT = 30.0


class Farm(NamedTuple):
    """What is visited, and how."""

    path: str
    body: bytes
    clusters: list[dict[str, str]]
    requests: int
    at_a_time: int
    certificate: bool
    folder: pathlib.Path

    def headers(self, cluster: dict[str, str]) -> dict[str, str]:
        """Return what every request says."""
        proof = {} if self.certificate else {"Authorization": f"Bearer {cluster['token']}"}
        return {"Accept": "application/json", **proof}

    def calls(self) -> Iterator[tuple[str, str, bytes | None]]:
        """Yield method, path and body of a visit's requests."""
        yield "PATCH", self.path + _QUERY, self.body
        for _ in range(self.requests - 1):
            yield "GET", self.path, None

    def pem(self, cluster: dict[str, str], key: str) -> str:
        """Write a part of a cluster's credentials for a client that takes files only; returns the file."""
        file = self.folder / f"{cluster['server'].rpartition('/')[2]}.{key}"
        if not file.exists():
            file.write_text(cluster[key], encoding="ascii")
        return str(file)

    def context(self, cluster: dict[str, str]) -> ssl.SSLContext:
        """Return a TLS context that trusts the cluster's own authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=cluster["ca"])
        if self.certificate:
            context.load_cert_chain(self.pem(cluster, "cert"), self.pem(cluster, "key"))
        return context


def _check(status: int, body: bytes) -> None:
    if status >= 300 or not json.loads(body)["metadata"]["uid"]:
        raise SystemExit(f"HTTP {status}: {body[:200]!r}")


Work = Callable[[], None]
"""What is measured: its imports are done, as a command's are by the time that it contacts anything."""


def _threads(farm: Farm, visit: Callable[[dict[str, str]], None]) -> None:
    with futures.ThreadPoolExecutor(farm.at_a_time) as pool:
        list(pool.map(visit, farm.clusters))


async def _workers(farm: Farm, visit: Callable[[dict[str, str]], Awaitable[None]]) -> None:
    waiting = iter(farm.clusters)

    async def work() -> None:
        for cluster in waiting:
            await visit(cluster)

    async with asyncio.TaskGroup() as group:
        for _ in range(farm.at_a_time):
            group.create_task(work())


def fleetctl(farm: Farm) -> Work:
    """Visit with fleetctl's own client: what a rollout does at a site, from the endpoint to the verdict and outcome."""
    from fleetctl.kube import client, curl, transport, views, workloads
    from fleetctl.model import objects, outcomes
    from fleetctl.runs import loops

    identity = objects.ObjectId("apps", "Deployment", "pos", "till")
    found: list[outcomes.Result] = []

    async def run() -> None:
        async with curl.CurlTransport() as wire:

            async def visit(cluster: dict[str, str]) -> None:
                proof = {"client_cert": cluster["cert"].encode(), "client_key": cluster["key"].encode()}
                proven: dict[str, Any] = proof if farm.certificate else {"token": cluster["token"]}
                endpoint = transport.Endpoint(cluster["server"], cluster["ca"].encode(), **proven)
                with client.Client(wire.session(endpoint), deadline=time.monotonic() + 600) as api:
                    applied = await api.apply(farm.path, farm.body, manager="fleetctl:pos")
                    meta = getattr(applied, "meta", None)
                    if meta is None or not meta.uid:
                        raise SystemExit(f"not applied: {applied}")
                    notes: tuple[str, ...] = ()
                    for _ in range(farm.requests - 1):
                        body = await api.get_raw(farm.path)
                        notes = (workloads.verdict(views.View(identity, body, generation=meta.generation)).message,)
                    effect, count = outcomes.Effect.APPLIED, api.requests
                    found.append(outcomes.Result(outcomes.Outcome.CHANGED, effect, requests=count, notes=notes))

            await _workers(farm, visit)

    loops.run(asyncio.sleep(0))  # imports the event loop

    def work() -> None:
        loops.run(run())
        if len(found) != len(farm.clusters):
            raise SystemExit("some cluster has no outcome")

    return work


def multi(farm: Farm) -> Work:
    """Visit with pycurl's multi interface in a bare loop of epoll: libcurl without limits and event loop."""
    from tests.bench import multis

    return lambda: multis.Visits(farm, _check).run()


def pycurl(farm: Farm) -> Work:
    """Visit with pycurl alone: one thread for each visit under way, no event loop."""
    from tests.bench import multis

    def visit(cluster: dict[str, str]) -> None:
        handle = multis.prepared(farm, cluster)
        for call in farm.calls():
            body = multis.ask(handle, farm, cluster, call)
            handle.perform()
            _check(handle.getinfo(handle.RESPONSE_CODE), bytes(body))
        handle.close()

    return lambda: _threads(farm, visit)


def aiohttp(farm: Farm) -> Work:
    """Visit with aiohttp on uvloop, a connector and a TLS context for each cluster."""
    import uvloop

    aiohttp: Any = importlib.import_module("aiohttp")  # fleetctl's own tools need not have it

    async def visit(cluster: dict[str, str]) -> None:
        connector = aiohttp.TCPConnector(ssl=farm.context(cluster), limit=1)
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        async with aiohttp.ClientSession(
            connector=connector, headers=farm.headers(cluster), timeout=timeout
        ) as session:
            for method, path, body in farm.calls():
                more = {"Content-Type": _APPLY} if body is not None else {}
                async with session.request(method, cluster["server"] + path, data=body, headers=more) as answer:
                    _check(answer.status, await answer.read())

    return lambda: uvloop.run(_workers(farm, visit))


def httpx(farm: Farm) -> Work:
    """Visit with httpx, a client for each cluster."""
    import httpx

    async def visit(cluster: dict[str, str]) -> None:
        given: dict[str, Any] = {"verify": farm.context(cluster), "trust_env": False, "timeout": _TIMEOUT}
        async with httpx.AsyncClient(headers=farm.headers(cluster), **given) as session:
            for method, path, body in farm.calls():
                more = {"Content-Type": _APPLY} if body is not None else {}
                answer = await session.request(method, cluster["server"] + path, content=body, headers=more)
                _check(answer.status_code, answer.content)

    return lambda: asyncio.run(_workers(farm, visit))


def kubernetes(farm: Farm) -> Work:
    """Visit with the official Python client, on threads, as its examples do."""
    kubernetes: Any = importlib.import_module("kubernetes")  # fleetctl's own tools need not have it
    body = json.loads(farm.body)

    def visit(cluster: dict[str, str]) -> None:
        config = kubernetes.client.Configuration(host=cluster["server"])
        config.ssl_ca_cert = farm.pem(cluster, "ca")
        if farm.certificate:
            config.cert_file, config.key_file = farm.pem(cluster, "cert"), farm.pem(cluster, "key")
        else:
            config.api_key = {"authorization": f"Bearer {cluster['token']}"}
        with kubernetes.client.ApiClient(config) as api:
            apps = kubernetes.client.AppsV1Api(api)
            for method, _, _ in farm.calls():
                if method == "PATCH":
                    given: dict[str, Any] = {"field_manager": "fleetctl:pos", "field_validation": "Strict"}
                    seen = apps.patch_namespaced_deployment("till", "pos", body, _content_type=_APPLY, **given)
                else:
                    seen = apps.read_namespaced_deployment("till", "pos")
                if seen.metadata is None or not seen.metadata.uid:
                    raise SystemExit("an object without a UID")

    return lambda: _threads(farm, visit)


def kubectl(farm: Farm) -> Work:
    """Visit with a loop of kubectl processes, one for each request: a PUT, as it patches nothing raw, then GETs."""
    program = shutil.which("kubectl")
    if program is None:
        raise SystemExit("no kubectl on PATH")

    def work() -> None:
        for cluster in farm.clusters:
            proof = (
                [f"--client-certificate={farm.pem(cluster, 'cert')}", f"--client-key={farm.pem(cluster, 'key')}"]
                if farm.certificate
                else [f"--token={cluster['token']}"]
            )
            for method, path, _ in farm.calls():
                how = [f"--server={cluster['server']}", f"--certificate-authority={farm.pem(cluster, 'ca')}", *proof]
                if method == "PATCH":
                    # "apply" would read discovery and OpenAPI first.
                    words = ["replace", "--raw", farm.path, "-f", str(farm.folder / "apply.json")]
                else:
                    words = ["get", "--raw", path]
                subprocess.run([program, *how, *words], check=True, stdout=subprocess.DEVNULL)

    return work


CLIENTS = (fleetctl, multi, pycurl, aiohttp, httpx, kubernetes, kubectl)


def main() -> None:
    """Visit, and print what it cost."""
    name, folder, requests, at_a_time, *rest = sys.argv[1:]
    told = json.loads((pathlib.Path(folder) / "fleet.json").read_bytes())
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        given = int(requests), int(at_a_time), bool(rest)
        farm = Farm(told["path"], told["body"].encode(), told["clusters"], *given, pathlib.Path(aside))
        (farm.folder / "apply.json").write_bytes(farm.body)
        client = {one.__name__: one for one in CLIENTS}[name]
        whose = resource.RUSAGE_CHILDREN if client is kubectl else resource.RUSAGE_SELF
        work = client(farm)
        before, began = resource.getrusage(whose), time.perf_counter()
        work()
        after = resource.getrusage(whose)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cost = {"cpu": cpu, "wall": time.perf_counter() - began, "peak": after.ru_maxrss / 1024}
    sys.stdout.write(json.dumps(cost) + "\n")
    sys.stdout.flush()
    os._exit(0)  # what is left to tidy up is no part of a visit


if __name__ == "__main__":
    main()
