"""Kubeconfig files, as kubectl writes and merges them: what they say of clusters, users and contexts.

Source: the API ``kubeconfig.v1`` of Kubernetes, and for several files client-go's ``tools/clientcmd/loader.go``: the
first file that has a name says all of it, and the first that has a current context says which. Values are never shown.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import msgspec

from fleetctl.kube import execs
from fleetctl.model import codes, errors
from fleetctl.reading import disk, yaml12

__all__ = ["AuthProvider", "Cluster", "Context", "Files", "Merged", "User"]


class Cluster(msgspec.Struct, rename="kebab"):
    """Where an API server is, and how it proves itself."""

    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    proxy_url: str = ""
    disable_compression: bool = False
    """Told to plugins; we never ask for compressed answers."""
    extensions: list[dict[str, Any]] | None = None


class AuthProvider(msgspec.Struct):
    """How a user is known at some provider of identities."""

    name: str = ""
    config: dict[str, str] | None = None

    def __repr__(self) -> str:
        """Leave out what may be secret."""
        return "AuthProvider()"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Leave it out for libraries that draw records, too."""
        return []


class User(msgspec.Struct, rename="kebab"):
    """How a user proves itself, and as whom it acts."""

    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    username: str = ""
    password: str = ""
    exec: execs.Exec | None = None
    auth_provider: AuthProvider | None = None
    impersonate: str = msgspec.field(default="", name="as")
    as_uid: str = ""
    as_groups: list[str] | None = None
    as_user_extra: dict[str, list[str] | None] | None = None

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "User()"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show nothing of it to libraries that draw records."""
        return []


class Context(msgspec.Struct):
    """A cluster and a user, by their names."""

    cluster: str = ""
    user: str = ""


class Merged(msgspec.Struct):
    """What one or several files say together."""

    shown: str
    """The files, as people write them."""
    current: str
    clusters: dict[str, tuple[pathlib.Path, Cluster]]
    """Each with the file that says so: paths in it are relative to that."""
    users: dict[str, tuple[pathlib.Path, User]]
    contexts: dict[str, tuple[pathlib.Path, Context]]


class _NamedCluster(msgspec.Struct):
    name: str = ""
    cluster: Cluster = msgspec.field(default_factory=Cluster)


class _NamedUser(msgspec.Struct):
    name: str = ""
    user: User = msgspec.field(default_factory=User)


class _NamedContext(msgspec.Struct):
    name: str = ""
    context: Context = msgspec.field(default_factory=Context)


class _Config(msgspec.Struct):
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None
    current: str = msgspec.field(default="", name="current-context")


class Files:
    """Kubeconfig files of one command: each is read once, however many sites and lists name it."""

    def __init__(self) -> None:
        self._read: dict[pathlib.Path, Merged | None] = {}
        self._merged: dict[tuple[pathlib.Path, ...], Merged] = {}

    def merged(self, paths: Sequence[pathlib.Path]) -> Merged:
        """Return what files say together; raises ``NotConfigured``. Of several, those that are missing are skipped."""
        wanted = tuple(paths)
        if wanted not in self._merged:
            self._merged[wanted] = self._merge(wanted)
        return self._merged[wanted]

    def _merge(self, paths: tuple[pathlib.Path, ...]) -> Merged:
        found = [one for path in paths if (one := self._of(path)) is not None]
        shown = os.pathsep.join(map(str, paths))
        if not found:
            raise errors.NotConfigured(codes.Code.KUBE_NO_KUBECONFIG, f"there is no kubeconfig {shown}")
        if len(paths) == 1:
            return found[0]
        merged = Merged(shown, next((one.current for one in found if one.current), ""), {}, {}, {})
        for one in reversed(found):
            merged.clusters.update(one.clusters)
            merged.users.update(one.users)
            merged.contexts.update(one.contexts)
        return merged

    def _of(self, path: pathlib.Path) -> Merged | None:
        if path not in self._read:
            self._read[path] = _read(path)
        return self._read[path]


def _read(path: pathlib.Path) -> Merged | None:
    """Return what one file says, or None where there is none; raises ``NotConfigured``."""
    if not disk.is_there(path):
        return None
    text, found = disk.read(path, str(path))
    if found:
        raise _bad(f"{found[0].mark}: {found[0].message}")
    config = _parsed(path, text)
    clusters = {one.name: (path, one.cluster) for one in config.clusters or ()}
    users = {one.name: (path, one.user) for one in config.users or ()}
    contexts = {one.name: (path, one.context) for one in config.contexts or ()}
    for sort, listed, names in (
        ("cluster", config.clusters, len(clusters)),
        ("user", config.users, len(users)),
        ("context", config.contexts, len(contexts)),
    ):
        if len(listed or ()) != names:
            raise _bad(f"{path}: two entries for a {sort} have one name")
    return Merged(str(path), config.current, clusters, users, contexts)


def _parsed(path: pathlib.Path, text: bytes) -> _Config:
    """Read JSON, which is quick, or YAML."""
    try:
        if text.lstrip()[:1] == b"{":
            try:
                return msgspec.json.decode(text, type=_Config)
            except msgspec.ValidationError:
                return msgspec.convert(_said(msgspec.json.decode(text)), type=_Config)
        documents, found = yaml12.read(text, str(path))
        if found:
            mark = found[0].mark or path
            raise _bad(f"{mark}: it is no YAML that can be read")  # a message may quote a secret
        return msgspec.convert(_said(documents[0].data) if documents else {}, type=_Config)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _bad(f"{path} is no kubeconfig: a field in it has the wrong type, or it is no JSON") from None


def _said(data: Any) -> Any:  # noqa: ANN401  # a file's data
    """Return data without the fields that are null: to Go, and so to kubectl, they are not there."""
    if isinstance(data, dict):
        # What an extension holds is not ours to read.
        return {key: value if key == "extension" else _said(value) for key, value in data.items() if value is not None}
    return [_said(one) for one in data] if isinstance(data, list) else data


def _bad(message: str) -> errors.NotConfigured:
    return errors.NotConfigured(codes.Code.KUBE_BAD_KUBECONFIG, message)
