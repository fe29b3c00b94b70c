"""A simulated fleet: one API server per site, each with an authority, a certificate and a token of its own.

``running`` serves it from a thread of this process; ``python -m fleetctl.sim FOLDER`` serves what the folder's
``fleet.json`` describes until it is told to end. The folder then holds a kubeconfig with one context per site, and may
at any time get a ``faults.json``: a map of site to fault.
"""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import contextlib
import os
import pathlib
import resource
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from fleetctl.sim import authorities, behaviours, clusters, faults, servers

__all__ = ["FAULTS", "FLEET", "KUBECONFIG", "Fleet", "Spec", "running", "serve_folder", "spec_of"]

KUBECONFIG: Final = "kubeconfig"
FAULTS: Final = "faults.json"
FLEET: Final = "fleet.json"
_LOOK: Final = 0.2

_Seen = tuple[int, ...]
_NEVER: Final[_Seen] = (-1,)


class Fleet:
    """Servers of a fleet by site; every method is for the loop's own thread, save those of ``running``'s caller."""

    def __init__(
        self,
        sites: Iterable[str],
        rules: behaviours.Behaviours = behaviours.Behaviours(),  # noqa: B008  # frozen
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.servers: dict[str, servers.Server] = {}
        self.authorities: dict[str, bytes] = {}
        key = authorities.new_key()
        for site in sites:
            cluster = clusters.Cluster(site, clock, rules, secrets.token_urlsafe(24))
            authority = authorities.Authority(site, key)
            self.authorities[site] = authority.certificate
            self.servers[site] = servers.Server(cluster, authority)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Let every site listen; the process may then open as many files as the system lets it."""
        self._loop = asyncio.get_running_loop()
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        for server in self.servers.values():
            await server.start()

    async def stop(self) -> None:
        """Close every site."""
        for server in self.servers.values():
            await server.stop()

    def suffer(self, site: str, fault: faults.Fault) -> None:
        """Let something be wrong with a site; from another thread."""
        assert self._loop is not None  # noqa: S101  # started
        asyncio.run_coroutine_threadsafe(self.servers[site].suffer(fault), self._loop).result()

    def requests(self) -> dict[str, int]:
        """Return how many requests each site has answered."""
        return {site: server.cluster.requests for site, server in self.servers.items()}

    def kubeconfig(self) -> bytes:
        """Return a kubeconfig, in JSON, with a context for each site."""
        config: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
        for site, server in self.servers.items():
            address = f"https://127.0.0.1:{server.port}"
            authority = base64.b64encode(self.authorities[site]).decode()
            config["clusters"].append(
                {"name": site, "cluster": {"server": address, "certificate-authority-data": authority}}
            )
            config["users"].append({"name": site, "user": {"token": server.cluster.token}})
            config["contexts"].append({"name": site, "context": {"cluster": site, "user": site}})
        return msgspec.json.encode(config)


@contextlib.contextmanager
def running(
    sites: Iterable[str],
    folder: pathlib.Path,
    rules: behaviours.Behaviours = behaviours.Behaviours(),  # noqa: B008  # frozen
    clock: Callable[[], float] = time.time,
) -> Iterator[Fleet]:
    """Serve a fleet from a thread, with its kubeconfig in a folder."""
    fleet = Fleet(sites, rules, clock)
    ready: concurrent.futures.Future[None] = concurrent.futures.Future()
    loop = asyncio.new_event_loop()
    end = asyncio.Event()

    async def work() -> None:
        try:
            await fleet.start()
            ready.set_result(None)
            await end.wait()
        except Exception as error:  # noqa: BLE001  # who waits for the fleet is told
            ready.set_exception(error)
        await fleet.stop()

    thread = threading.Thread(target=lambda: loop.run_until_complete(work()), name="fleetctl-sim")
    thread.start()
    try:
        ready.result()
        _write(folder, fleet)
        yield fleet
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()


class Spec(msgspec.Struct, frozen=True):
    """What ``FLEET`` in a folder says: the sites, and how pods of which images fare."""

    sites: tuple[str, ...]
    rules: tuple[behaviours.Behaviour, ...] = ()
    stays: bool = False
    """Whether it is served on when the process that began it has ended."""


def spec_of(folder: pathlib.Path) -> Spec:
    """Return what a folder says of its fleet; raises ``OSError`` or ``msgspec.MsgspecError``."""
    return msgspec.json.decode(_read(folder / FLEET), type=Spec)


async def serve_folder(folder: pathlib.Path) -> None:
    """Serve the fleet that a folder describes until SIGINT or SIGTERM, or until this process is an orphan.

    Its kubeconfig is there as long as it is served.
    """
    spec = spec_of(folder)
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    parent = os.getppid()
    fleet = Fleet(spec.sites, behaviours.Behaviours(spec.rules))
    await fleet.start()
    seen = await _look(folder / FAULTS, _NEVER, fleet)
    _write(folder, fleet)
    while not end.is_set() and (spec.stays or os.getppid() == parent):
        seen = await _look(folder / FAULTS, seen, fleet)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(end.wait(), _LOOK)
    (folder / KUBECONFIG).unlink(missing_ok=True)
    await fleet.stop()


def _read(file: pathlib.Path) -> bytes:
    return file.read_bytes()


async def _look(file: pathlib.Path, seen: _Seen, fleet: Fleet) -> _Seen:
    """Take over the faults in a file when it was written anew; without the file nothing is wrong."""
    now = _seen(file)
    if now == seen:
        return seen
    try:
        broken = msgspec.json.decode(_read(file), type=dict[str, faults.Fault]) if now else {}
    except (OSError, msgspec.MsgspecError) as error:
        sys.stderr.write(f"{file.name} is not taken over: {error}\n")
        return now
    if strange := sorted(broken.keys() - fleet.servers.keys()):
        sys.stderr.write(f"{file.name} names sites that are not here: {', '.join(strange)}\n")
    for site, server in fleet.servers.items():
        fault = broken.get(site, faults.Fault())
        if fault != server.fault:
            try:
                await server.suffer(fault)
            except OSError:  # another program has the port meanwhile: tried again
                now = seen
    return now


def _seen(file: pathlib.Path) -> _Seen:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _write(folder: pathlib.Path, fleet: Fleet) -> None:
    """Write the kubeconfig, for its owner alone and whole."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(fleet.kubeconfig())
    pathlib.Path(name).replace(folder / KUBECONFIG)
