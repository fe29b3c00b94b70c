"""A simulated fleet: one API server per site, each with an authority, a certificate and a token of its own.

``running`` serves it from a thread of this process; ``python -m fleetctl.sim FOLDER`` serves what the folder's
``fleet.json`` describes until it is told to end. The folder then holds a kubeconfig with one context per site, and may
at any time get a ``faults.json``: a map of site to fault.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import ipaddress
import os
import pathlib
import secrets
import signal
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fleetctl.sim import behaviours, clusters, servers

__all__ = ["FAULTS", "FLEET", "KUBECONFIG", "Fleet", "Spec", "running", "serve_folder"]

KUBECONFIG: Final = "kubeconfig"
FAULTS: Final = "faults.json"
FLEET: Final = "fleet.json"
_LOOK: Final = 0.2
_DAYS: Final = 30


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
        key = ec.generate_private_key(ec.SECP256R1())
        for site in sites:
            cluster = clusters.Cluster(site, clock, rules, secrets.token_urlsafe(24))
            authority, context = _context(site, key)
            self.authorities[site] = authority
            self.servers[site] = servers.Server(cluster, context)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Let every site listen."""
        self._loop = asyncio.get_running_loop()
        for server in self.servers.values():
            await server.start()

    async def stop(self) -> None:
        """Close every site."""
        for server in self.servers.values():
            await server.stop()

    def suffer(self, site: str, fault: servers.Fault) -> None:
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
    ready, end = threading.Event(), threading.Event()
    loop = asyncio.new_event_loop()

    async def work() -> None:
        await fleet.start()
        ready.set()
        await loop.run_in_executor(None, end.wait)
        await fleet.stop()

    thread = threading.Thread(target=lambda: loop.run_until_complete(work()), name="fleetctl-sim")
    thread.start()
    try:
        ready.wait()
        _write(folder, fleet)
        yield fleet
    finally:
        end.set()
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


class Spec(msgspec.Struct, frozen=True):
    """What ``FLEET`` in a folder says: the sites, and how pods of which images fare."""

    sites: tuple[str, ...]
    rules: tuple[behaviours.Behaviour, ...] = ()


async def serve_folder(folder: pathlib.Path) -> None:
    """Serve the fleet that a folder describes until SIGINT or SIGTERM, or until this process is an orphan."""
    spec = msgspec.json.decode(_read(folder / FLEET), type=Spec)
    fleet = Fleet(spec.sites, behaviours.Behaviours(spec.rules))
    await fleet.start()
    _write(folder, fleet)
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end.set)
    parent, seen = os.getppid(), 0.0
    while not end.is_set() and os.getppid() == parent:
        seen = await _look(folder / FAULTS, seen, fleet)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(end.wait(), _LOOK)
    await fleet.stop()


def _read(file: pathlib.Path) -> bytes:
    return file.read_bytes()


async def _look(file: pathlib.Path, seen: float, fleet: Fleet) -> float:
    """Take over the faults in a file when it was written anew."""
    when, faults = _faults(file, seen)
    if faults is None:
        return seen
    for site, server in fleet.servers.items():
        fault = faults.get(site, servers.Fault())
        if fault != server.fault:
            await server.suffer(fault)
    return when


def _faults(file: pathlib.Path, seen: float) -> tuple[float, dict[str, servers.Fault] | None]:
    try:
        when = file.stat().st_mtime
        if when == seen:
            return seen, None
        return when, msgspec.json.decode(file.read_bytes(), type=dict[str, servers.Fault])
    except (OSError, msgspec.MsgspecError):
        return seen, None


def _write(folder: pathlib.Path, fleet: Fleet) -> None:
    """Write the kubeconfig, for its owner alone and whole."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(fleet.kubeconfig())
    pathlib.Path(name).replace(folder / KUBECONFIG)


def _context(site: str, key: ec.EllipticCurvePrivateKey) -> tuple[bytes, ssl.SSLContext]:
    """Return a site's authority, and a context with a certificate of it; all sites may share the key."""
    now = dt.datetime.now(dt.UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"simulated {site}"[:64])])
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    authority = _certificate(issuer, issuer, authority_key.public_key(), now).add_extension(constraints, critical=True)
    signed = authority.sign(authority_key, hashes.SHA256())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
    leaf = _certificate(subject, issuer, key.public_key(), now).add_extension(names, critical=False)
    pem = leaf.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:  # Python's ssl takes files only; this one is for its owner
        file.write(pem + secret)
        file.flush()
        context.load_cert_chain(file.name)
    return signed.public_bytes(serialization.Encoding.PEM), context


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
    )
