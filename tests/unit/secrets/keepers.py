"""Providers for tests, each with a store of its own that a test can fill."""

import contextlib
import json
import os
import pathlib
import stat
import urllib.parse
from collections.abc import Callable, Iterator, Mapping

import keyring
import keyring.backend
import pyrage

from fleetctl.model import secretrefs
from fleetctl.secrets import providers, resolving
from tests.unit.web import serving

__all__ = ["KEEPERS", "TOKEN", "Keeper", "around", "vault_answering"]

TOKEN = "s.token-of-the-operator"  # noqa: S105  # of the local server
IDENTITY = pyrage.x25519.Identity.generate()


class Keeper:
    """A store that holds text, and how a reference to it is written."""

    def __init__(self, provider: providers.Provider, key: secretrefs.Key, missing: secretrefs.Key) -> None:
        self.provider = provider
        self.key = key
        self.missing = missing


Keeping = Callable[[pathlib.Path, bytes], contextlib.AbstractContextManager[Keeper]]


def around(folder: pathlib.Path, **variables: str) -> providers.Surroundings:
    """Return surroundings with few variables."""
    return providers.Surroundings(folder, {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), **variables})


def _made(folder: pathlib.Path, name: str, **variables: str) -> providers.Provider:
    return resolving.shipped(around(folder, **variables))[name]


@contextlib.contextmanager
def _env(folder: pathlib.Path, value: bytes) -> Iterator[Keeper]:
    text = value.decode("utf-8", "surrogateescape")
    yield Keeper(_made(folder, "env", POS_TOKEN=text), "POS_TOKEN", "OTHER")


@contextlib.contextmanager
def _file(folder: pathlib.Path, value: bytes) -> Iterator[Keeper]:
    (folder / "token").write_bytes(value + b"\n")
    (folder / "token").chmod(0o600)
    yield Keeper(_made(folder, "file"), "token", "other")


@contextlib.contextmanager
def _exec(folder: pathlib.Path, value: bytes) -> Iterator[Keeper]:
    (folder / "kept").write_bytes(value + b"\n")
    yield Keeper(_made(folder, "exec"), ("cat", "kept"), ("cat", "other"))


@contextlib.contextmanager
def _age(folder: pathlib.Path, value: bytes) -> Iterator[Keeper]:
    (folder / "pos.age").write_bytes(pyrage.encrypt(value + b"\n", [IDENTITY.to_public()]))
    yield Keeper(_made(folder, "age", FLEETCTL_AGE_IDENTITIES=str(IDENTITY)), "pos.age", "other.age")


@contextlib.contextmanager
def _age_inside(folder: pathlib.Path, value: bytes) -> Iterator[Keeper]:
    text = json.dumps({"db": {"password": value.decode()}}).encode()
    (folder / "pos.age").write_bytes(pyrage.encrypt(text, [IDENTITY.to_public()], armored=True))
    identities = folder / "identities.txt"
    identities.write_text(f"# created: today\n{IDENTITY}\n")
    identities.chmod(0o600)
    made = _made(folder, "age", FLEETCTL_AGE_IDENTITIES_FILE="identities.txt")
    yield Keeper(made, "pos.age#db.password", "pos.age#db.user")


@contextlib.contextmanager
def _sops(folder: pathlib.Path, value: bytes) -> Iterator[Keeper]:
    """Stand in for the binary, as far as ``sops decrypt --output-type json FILE`` goes; test_sops has the real one."""
    binary = folder / "bin" / "sops"
    binary.parent.mkdir()
    binary.write_text('#!/bin/sh\n[ "$1 $2 $3" = "decrypt --output-type json" ] && exec cat "$4"\nexit 1\n')
    binary.chmod(stat.S_IRWXU)
    (folder / "pos.sops.yaml").write_text(json.dumps({"db": {"password": value.decode()}}))
    made = _made(folder, "sops", PATH=f"{binary.parent}:{os.environ['PATH']}")
    yield Keeper(made, "pos.sops.yaml#db.password", "pos.sops.yaml#db.user")


def vault_answering(kept: Mapping[str, object], version: str = "2") -> Callable[[serving.Handler], None]:
    """Return what answers as the documented API of a KV store mounted at ``edge/kv/`` does, for one token."""
    mount = {"data": {"path": "edge/kv/", "type": "kv", "options": {"version": version} if version == "2" else None}}
    below = "/v1/edge/kv/data/" if version == "2" else "/v1/edge/kv/"

    def behave(handler: serving.Handler) -> None:
        path = urllib.parse.unquote(handler.path)
        if handler.headers["X-Vault-Token"] != TOKEN or handler.headers["X-Vault-Namespace"] != "retail":
            return serving.answer(403, b'{"errors": ["permission denied"]}')(handler)
        if path.startswith("/v1/sys/internal/ui/mounts/edge/kv/"):
            return serving.answer(200, json.dumps(mount).encode())(handler)
        found = kept.get(path.removeprefix(below)) if path.startswith(below) else None
        if found is None:
            return serving.answer(404, b'{"errors": []}')(handler)
        if found == "deleted":
            body = {"data": {"data": None, "metadata": {"deletion_time": "2026-01-02T03:04:05Z", "destroyed": False}}}
            return serving.answer(404, json.dumps(body).encode())(handler)
        whole: dict[str, object] = {"data": {"data": found, "metadata": {"version": 3}} if version == "2" else found}
        return serving.answer(200, json.dumps(whole).encode())(handler)

    return behave


def _vault(version: str) -> Keeping:
    @contextlib.contextmanager
    def keeping(folder: pathlib.Path, value: bytes) -> Iterator[Keeper]:
        kept = {"pos/north db": {"password": value.decode()}}
        with serving.serving(vault_answering(kept, version)) as base:
            made = _made(folder, "vault", VAULT_ADDR=base, VAULT_TOKEN=TOKEN, VAULT_NAMESPACE="retail")
            yield Keeper(made, "edge/kv/pos/north db#password", "edge/kv/pos/south#password")

    return keeping


class _Memory(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # ships few types
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return what was kept."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        del self.kept[service, username]


@contextlib.contextmanager
def _keyring(folder: pathlib.Path, value: bytes) -> Iterator[Keeper]:
    before = keyring.get_keyring()
    memory = _Memory()
    keyring.set_keyring(memory)
    try:
        memory.set_password("fleetctl", "pos", value.decode())
        yield Keeper(_made(folder, "keyring"), "fleetctl/pos", "fleetctl/other")
    finally:
        keyring.set_keyring(before)


KEEPERS: dict[str, Keeping] = {
    "env": _env,
    "file": _file,
    "exec": _exec,
    "age": _age,
    "age-inside": _age_inside,
    "sops": _sops,
    "vault-1": _vault("1"),
    "vault-2": _vault("2"),
    "keyring": _keyring,
}
"""Every provider, with a store that holds one value."""
