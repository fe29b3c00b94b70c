"""Kubeconfig files, as kubectl writes them: a context's server, authority and identity, read into memory.

Source: the API ``kubeconfig.v1`` of Kubernetes. Paths in a file are relative to the file. What would weaken trust
(insecure-skip-tls-verify) is refused in words. Values are never shown.
"""

from __future__ import annotations

import base64
import binascii
import pathlib
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from fleetctl.kube import execs, plugins, proofs, transport
from fleetctl.model import codes, errors
from fleetctl.reading import disk, scalars, yaml12

__all__ = ["Files"]


class _Cluster(msgspec.Struct, rename="kebab"):
    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    proxy_url: str = ""
    disable_compression: bool = False
    """Told to plugins; we never ask for compressed answers."""
    extensions: list[dict[str, Any]] | None = None


class _User(msgspec.Struct, rename="kebab"):
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    username: str = ""
    password: str = ""
    exec: execs.Exec | None = None
    auth_provider: object = None
    impersonate: str = msgspec.field(default="", name="as")
    as_uid: str = ""
    as_groups: list[str] | None = None
    as_user_extra: dict[str, list[str] | None] | None = None

    def __repr__(self) -> str:
        return "_User()"


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
        self._plugins = plugins.Plugins()

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
        _require_usable(where, cluster, user)
        cert = self._pem(proofs.is_certificate, path, where, user.client_certificate, user.client_certificate_data)
        key = self._pem(proofs.is_key, path, where, user.client_key, user.client_key_data)
        fault = proofs.fault_of_pair(cert, key)
        if fault:
            raise _bad(f"{where}: {fault}")
        data = cluster.certificate_authority_data
        ca = self._pem(proofs.is_certificate, path, where, cluster.certificate_authority, data) or None
        token = self._token(path, where, user)
        plugin = None
        if user.exec is not None and not token and not cert:  # what stands in the file goes before, as in client-go
            told = execs.Told(
                cluster.server,
                cluster.tls_server_name,
                ca,
                cluster.proxy_url,
                cluster.disable_compression,
                execs.config_of(cluster.extensions),
            )
            plugin = self._plugins.plugin(execs.invocation(user.exec, path.parent, where, told))
        return transport.Endpoint(
            server=cluster.server.rstrip("/"),
            ca=ca,
            token=token,
            client_cert=cert,
            client_key=key,
            server_name=cluster.tls_server_name,
            proxy=cluster.proxy_url,
            prover=plugin,
            impersonation=_impersonation(where, user),
        )

    def _token(self, path: pathlib.Path, where: str, user: _User) -> str:
        """Return the token; as for kubectl, the one in a file goes before the one that stands here."""
        token = user.token
        if user.token_file:
            token = self._file(path, where, user.token_file).decode("utf-8", "replace").strip()
            if not token:
                raise _bad(f"{where}: its token file is empty")
        if not proofs.is_token(token):
            raise _bad(f"{where}: its token holds blanks, line breaks or other signs that no token has")
        return token

    def _pem(self, sort: Callable[[bytes], bool], path: pathlib.Path, where: str, file: str, data: str) -> bytes:
        """Return a certificate or key: what stands in the file goes before what it points to, as for kubectl."""
        if data:
            try:
                found = base64.b64decode(_LINE_ENDS.sub("", data), validate=True)
            except (binascii.Error, ValueError):
                raise _bad(f"{where}: a certificate or key in it is not base64") from None
        elif file:
            found = self._file(path, where, file)
        else:
            return b""
        # An authority without certificates must not pass for none at all: that would mean those of the system.
        if not sort(found):
            raise _bad(f"{where}: {file or 'a certificate or key in it'} is not PEM, or not of the kind named")
        return found

    def _file(self, path: pathlib.Path, where: str, named: str) -> bytes:
        file = path.parent / named
        if file not in self._contents:
            try:
                self._contents[file] = file.read_bytes()
            except OSError as error:
                raise _bad(f"{where}: {file} cannot be read: {error.strerror}") from None
        return self._contents[file]


_PROXY: Final = re.compile(r"(https?|socks5h?)://[^/]")
"""libcurl would take others, too, and an address without a scheme; kubectl does not."""
_LINE_ENDS: Final = re.compile(r"[\r\n]")
"""What Go, and so kubectl, overlooks in base64."""
# Without a name and password, which would be sent, and without a query.
_SERVER: Final = re.compile(r"https://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%]+\])(?::[0-9]{1,5})?(?:/[!-~]*)?")


def _require_usable(where: str, cluster: _Cluster, user: _User) -> None:
    if not _SERVER.fullmatch(cluster.server):
        raise _bad(f"{where}: its server is no https:// address")
    for value, words in ((cluster.tls_server_name, "tls-server-name"), (cluster.proxy_url, "proxy-url")):
        if not value.isascii() or not value.isprintable():
            raise _bad(f"{where}: its {words} holds signs that no address has")
    if cluster.proxy_url and not _PROXY.match(cluster.proxy_url):
        raise _bad(f"{where}: its proxy-url is no http, https or socks5 URL")
    if cluster.insecure_skip_tls_verify:
        raise _bad(f"{where}: insecure-skip-tls-verify is refused; give it certificate-authority-data")
    for said, words in (
        (user.auth_provider, "an auth-provider"),
        (user.username or user.password, "a user name and password"),
    ):
        if said:
            message = f"{where}: its user proves itself by {words}, which fleetctl cannot use yet"
            hint = "Use a token, a token file or a client certificate."
            raise errors.NotConfigured(codes.Code.KUBE_UNSUPPORTED_AUTH, message, hint)


def _impersonation(where: str, user: _User) -> tuple[tuple[str, str], ...]:
    extra = {key: found or () for key, found in (user.as_user_extra or {}).items()}
    try:
        return proofs.impersonation(user.impersonate, user.as_uid, user.as_groups or (), extra)
    except ValueError as error:
        raise _bad(f"{where}: {error}") from None


def _bad(message: str) -> errors.NotConfigured:
    return errors.NotConfigured(codes.Code.KUBE_BAD_KUBECONFIG, message)


def _read(path: pathlib.Path) -> _Read:
    if not disk.is_there(path):
        message = f"there is no kubeconfig {path}"
        raise errors.NotConfigured(codes.Code.KUBE_NO_KUBECONFIG, message)
    text, found = disk.read(path, str(path))
    if found:
        raise _bad(f"{found[0].mark}: {found[0].message}")
    config = _parsed(path, text)
    clusters = {one.name: one.cluster for one in config.clusters or ()}
    users = {one.name: one.user for one in config.users or ()}
    contexts = {one.name: one.context for one in config.contexts or ()}
    for sort, listed, by_name in (
        ("cluster", config.clusters, clusters),
        ("user", config.users, users),
        ("context", config.contexts, contexts),
    ):
        if len(listed or ()) != len(by_name):
            raise _bad(f"{path}: two entries for a {sort} have one name")
    return _Read(path, config.current, clusters, users, contexts)


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
