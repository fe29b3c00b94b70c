"""Kubeconfig files, as kubectl writes them: a context's server, authority and identity, read into memory.

Source: the API ``kubeconfig.v1`` of Kubernetes. Paths in a file are relative to the file. What would weaken trust
(insecure-skip-tls-verify) or run a program (exec) is refused in words. Values are never shown.
"""

from __future__ import annotations

import base64
import binascii
import pathlib
from typing import TypeVar

import msgspec

from fleetctl.kube import transport
from fleetctl.model import codes, errors
from fleetctl.reading import disk, scalars, yaml12

__all__ = ["Files"]

T = TypeVar("T")


class _Cluster(msgspec.Struct, rename="kebab"):
    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    proxy_url: str = ""


class _User(msgspec.Struct, rename="kebab"):
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    username: str = ""
    exec: object = None
    auth_provider: object = None
    impersonate: str = msgspec.field(default="", name="as")


class _Context(msgspec.Struct):
    cluster: str = ""
    user: str = ""


class _NamedCluster(msgspec.Struct):
    name: str = ""
    cluster: _Cluster = msgspec.field(default_factory=_Cluster)


class _NamedUser(msgspec.Struct):
    name: str = ""
    user: _User = msgspec.field(default_factory=_User)


class _NamedContext(msgspec.Struct):
    name: str = ""
    context: _Context = msgspec.field(default_factory=_Context)


class _Config(msgspec.Struct):
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None
    current: str = msgspec.field(default="", name="current-context")


class _Read(msgspec.Struct):
    path: pathlib.Path
    current: str
    clusters: dict[str, _Cluster]
    users: dict[str, _User]
    contexts: dict[str, _Context]


class Files:
    """Kubeconfig files of one command: each is read once, however many sites it serves."""

    def __init__(self) -> None:
        self._files: dict[pathlib.Path, _Read] = {}
        self._contents: dict[pathlib.Path, bytes] = {}

    def endpoint(self, path: pathlib.Path, context: str | None) -> transport.Endpoint:
        """Return the endpoint of a context, by default the current one; raises ``NotConfigured``."""
        if path not in self._files:
            self._files[path] = _read(path)
        file = self._files[path]
        name = context if context is not None else file.current
        if name not in file.contexts:
            near = scalars.did_you_mean(name, file.contexts) if name else "; name one behind #"
            message = f'{path} has no context "{name}"{near}' if name else f"{path} has no current context{near}"
            raise errors.NotConfigured(codes.Code.KUBE_NO_CONTEXT, message)
        chosen = file.contexts[name]
        cluster, user = file.clusters.get(chosen.cluster), file.users.get(chosen.user)
        if cluster is None or user is None:
            lost = f'cluster "{chosen.cluster}"' if cluster is None else f'user "{chosen.user}"'
            message = f'{path}: the context "{name}" names a {lost.partition(" ")[0]} that is not in the file: {lost}'
            raise errors.NotConfigured(codes.Code.KUBE_NO_CONTEXT, message)
        return self._endpoint(path, name, cluster, user)

    def _endpoint(self, path: pathlib.Path, name: str, cluster: _Cluster, user: _User) -> transport.Endpoint:
        where = f'{path}: context "{name}"'
        if not cluster.server.startswith("https://"):
            raise _bad(f"{where}: its server is no https:// address")
        if cluster.insecure_skip_tls_verify:
            raise _bad(f"{where}: insecure-skip-tls-verify is refused; give it certificate-authority-data")
        for said, words in (
            (user.exec, "an exec plugin"),
            (user.auth_provider, "an auth-provider"),
            (user.username, "a user name and password"),
            (user.impersonate, "impersonation"),
        ):
            if said:
                message = f"{where}: its user proves itself by {words}, which fleetctl cannot use yet"
                hint = "Use a token, a token file or a client certificate."
                raise errors.NotConfigured(codes.Code.KUBE_UNSUPPORTED_AUTH, message, hint)
        cert = self._content(path, where, user.client_certificate, user.client_certificate_data)
        key = self._content(path, where, user.client_key, user.client_key_data)
        if bool(cert) != bool(key):
            raise _bad(f"{where}: a client certificate needs its key, and a key its certificate")
        token = user.token
        if user.token_file and not token:
            token = self._file(path, where, user.token_file).decode("utf-8", "replace").strip()
        if any(not letter.isprintable() or letter == " " for letter in token):
            raise _bad(f"{where}: its token holds blanks or line breaks")
        ca = self._content(path, where, cluster.certificate_authority, cluster.certificate_authority_data)
        return transport.Endpoint(
            server=cluster.server.rstrip("/"),
            ca=ca or None,
            token=token,
            client_cert=cert,
            client_key=key,
            server_name=cluster.tls_server_name,
            proxy=cluster.proxy_url,
        )

    def _content(self, path: pathlib.Path, where: str, file: str, data: str) -> bytes:
        """Return a certificate or key: what stands in the file goes before what it points to, as for kubectl."""
        if data:
            try:
                return base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError):
                raise _bad(f"{where}: a certificate or key in it is not base64") from None
        return self._file(path, where, file) if file else b""

    def _file(self, path: pathlib.Path, where: str, named: str) -> bytes:
        file = path.parent / named
        if file not in self._contents:
            try:
                self._contents[file] = file.read_bytes()
            except OSError as error:
                raise _bad(f"{where}: {file} cannot be read: {error.strerror}") from None
        return self._contents[file]


def _bad(message: str) -> errors.NotConfigured:
    return errors.NotConfigured(codes.Code.KUBE_BAD_KUBECONFIG, message)


def _read(path: pathlib.Path) -> _Read:
    if not path.exists():
        message = f"there is no kubeconfig {path}"
        raise errors.NotConfigured(codes.Code.KUBE_NO_KUBECONFIG, message)
    text, found = disk.read(path, str(path))
    if found:
        raise _bad(f"{found[0].mark}: {found[0].message}")
    config = _parsed(path, text)
    return _Read(
        path,
        config.current,
        {one.name: one.cluster for one in config.clusters or ()},
        {one.name: one.user for one in config.users or ()},
        {one.name: one.context for one in config.contexts or ()},
    )


def _parsed(path: pathlib.Path, text: bytes) -> _Config:
    """Read JSON, which is quick, or YAML."""
    try:
        if text.lstrip()[:1] == b"{":
            return msgspec.json.decode(text, type=_Config)
        documents, found = yaml12.read(text, str(path))
        if found:
            mark = found[0].mark or path
            raise _bad(f"{mark}: it is no YAML that can be read")  # a message may quote a secret
        return msgspec.convert(documents[0].data if documents else {}, type=_Config)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _bad(f"{path} is no kubeconfig: a field in it has the wrong type, or it is no JSON") from None
