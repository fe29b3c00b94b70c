"""From a context of kubeconfigs to an endpoint: the server, its authority, and what proves us, checked and in memory.

What would weaken trust (insecure-skip-tls-verify) is refused in words. Values are never shown.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import pathlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from fleetctl.kube import execs, kubeconfigs, oidc, plugins, proofs, tokenfiles, transport
from fleetctl.model import codes, errors
from fleetctl.reading import ownership, scalars

__all__ = ["Endpoints"]


class Endpoints:
    """The endpoints of one command: whatever several sites share is read once, and so is what proves us to them."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Take the clock that credentials end by."""
        self._clock = clock
        self._files = kubeconfigs.Files()
        self._contents: dict[pathlib.Path, bytes] = {}
        self._plugins = plugins.Plugins(clock)
        self._issuers = oidc.Issuers(clock)
        self._strangers: dict[pathlib.Path, str] = {}
        self._token_files: dict[pathlib.Path, tokenfiles.TokenFile] = {}

    def endpoint(
        self, paths: Sequence[pathlib.Path], context: str | None, proxy: str | None = None
    ) -> transport.Endpoint:
        """Return the endpoint of a context, by default the current one; raises ``NotConfigured``.

        ``proxy`` goes before the one that the kubeconfig names.
        """
        merged = self._files.merged(paths)
        name = context if context is not None else merged.current
        if name not in merged.contexts:
            near = scalars.did_you_mean(name, merged.contexts) if name else "; name one behind #"
            lacks = f'no context "{name}"{near}' if name else f"no current context{near}"
            raise errors.NotConfigured(codes.Code.KUBE_NO_CONTEXT, f"{merged.shown} has {lacks}")
        path, chosen = merged.contexts[name]
        cluster, user = merged.clusters.get(chosen.cluster), merged.users.get(chosen.user)
        if cluster is None or user is None:
            sort, lost = ("cluster", chosen.cluster) if cluster is None else ("user", chosen.user)
            there = "not in the file" if merged.shown == str(path) else f"in none of {merged.shown}"
            message = f'{path}: the context "{name}" names a {sort} that is {there}: {sort} "{lost}"'
            raise errors.NotConfigured(codes.Code.KUBE_NO_CONTEXT, message)
        path, server = cluster
        where = f'{path}: context "{name}"'
        reached, told = self._reached(path, where, server, proxy)
        path, found = user
        return self._proven(reached, told, path, f'{path}: context "{name}"', (chosen.user, found))

    def _reached(
        self, path: pathlib.Path, where: str, server: kubeconfigs.Cluster, proxy: str | None
    ) -> tuple[transport.Endpoint, execs.Told]:
        """Return an endpoint at which nobody proves anything yet, and what plugins are told of it."""
        _require_usable(where, server)
        data = server.certificate_authority_data
        ca = self._pem(proofs.is_certificate, path, where, server.certificate_authority, data) or None
        name, through = server.tls_server_name, server.proxy_url if proxy is None else proxy
        told = execs.Told(
            server.server, name, ca, through, server.disable_compression, execs.config_of(server.extensions)
        )
        return transport.Endpoint(server.server.rstrip("/"), ca, server_name=name, proxy=through), told

    def _proven(
        self,
        reached: transport.Endpoint,
        told: execs.Told,
        path: pathlib.Path,
        where: str,
        named: tuple[str, kubeconfigs.User],
    ) -> transport.Endpoint:
        """Return an endpoint with what proves a user there."""
        name, user = named
        _require_supported(where, user)
        cert = self._pem(proofs.is_certificate, path, where, user.client_certificate, user.client_certificate_data)
        key = self._pem(proofs.is_key, path, where, user.client_key, user.client_key_data)
        fault = proofs.fault_of_pair(cert, key)
        if fault:
            raise _bad(f"{where}: {fault}")
        _require_token(where, user.token)
        prover: transport.Prover | None = None
        token = user.token
        if user.token_file:  # goes before the token that stands here, as for kubectl
            prover = self._token_file(path, where, user.token_file)
        elif user.exec is not None and not user.token and not cert:  # what stands here goes before, as in client-go
            self._require_own(path, where)
            prover = self._plugins.plugin(execs.invocation(user.exec, path.parent, where, told))
        elif user.auth_provider is not None and not token:
            token, prover = self._issued(path, where, name, user.auth_provider.config or {})
        held = prover.held() if prover is not None else None
        ends = self._end(where, cert, token if held is None else held.token)
        return msgspec.structs.replace(
            reached,
            ends=None if prover is not None else ends,  # somebody renews it
            token=token,
            client_cert=cert,
            client_key=key,
            prover=prover,
            impersonation=_impersonation(where, user),
        )

    def _issued(
        self, path: pathlib.Path, where: str, name: str, config: Mapping[str, str]
    ) -> tuple[str, transport.Prover | None]:
        """Return a user's id-token where that is all there is, else what refreshes it."""
        named, data = config.get("idp-certificate-authority", ""), config.get("idp-certificate-authority-data", "")
        try:
            known = oidc.settings(config, self._pem(proofs.is_certificate, path, where, named, data))
        except ValueError as error:
            raise _bad(f"{where}: {error}") from None
        if not known.refresh_token:
            return known.id_token, None
        found = self._issuers.user(known)
        found.stands_in(path, name)
        return "", found

    def _end(self, where: str, cert: bytes, token: str) -> float | None:
        """Return when certificate and token have both ended, since servers take either; raises if that is past."""
        known = [("client certificate", proofs.end_of_certificate(cert))] if cert else []
        known += [("token", proofs.end_of_token(token))] if token else []
        ends = [end for _, end in known if end is not None]
        if not ends or len(ends) < len(known):
            return None
        if max(ends) <= self._clock():
            sorts = " and ".join(sort for sort, _ in known)
            message = (
                f"{where}: its {sorts} expired on {dt.datetime.fromtimestamp(max(ends), dt.UTC):%Y-%m-%d %H:%M} UTC"
            )
            hint = "Renew it. If it should hold, look at this computer's clock: fleetctl doctor."
            raise errors.NotConfigured(codes.Code.KUBE_EXPIRED_CREDENTIALS, message, hint)
        return max(ends)

    def _require_own(self, path: pathlib.Path, where: str) -> None:
        """Start no plugin that somebody else could have written here."""
        if path not in self._strangers:
            try:
                self._strangers[path] = ownership.stranger(path)
            except OSError as error:  # it was read just now
                raise _bad(f"{where}: {path} cannot be looked at: {error.strerror}") from None
        who = self._strangers[path]
        if who:
            message = f"{where}: no exec plugin of it is started: {who}"
            hint = "Take it away from others (chmod go-w), or keep the kubeconfig in your home folder."
            raise errors.NotConfigured(codes.Code.KUBE_UNSAFE_KUBECONFIG, message, hint)

    def _token_file(self, path: pathlib.Path, where: str, named: str) -> tokenfiles.TokenFile:
        file = path.parent / named
        if file not in self._token_files:
            try:
                token = tokenfiles.read(file)
            except OSError as error:
                raise _bad(f"{where}: {file} cannot be read: {error.strerror}") from None
            if not token:
                raise _bad(f"{where}: its token file is empty")
            _require_token(where, token)
            self._token_files[file] = tokenfiles.TokenFile(file, token)
        return self._token_files[file]

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


_GIVEN_UP: Final = {
    "azure": "kubectl has given it up, too, for the exec plugin kubelogin: kubelogin convert-kubeconfig.",
    "gcp": "kubectl has given it up, too, for the exec plugin gke-gcloud-auth-plugin:"
    " gcloud container clusters get-credentials.",
}
"""Of Kubernetes 1.26."""
_PROXY: Final = re.compile(r"(https?|socks5h?)://[^/]")
"""libcurl would take others, too, and an address without a scheme; kubectl does not."""
_LINE_ENDS: Final = re.compile(r"[\r\n]")
"""What Go, and so kubectl, overlooks in base64."""
# Without a name and password, which would be sent, and without a query.
_SERVER: Final = re.compile(r"https://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.%]+\])(?::[0-9]{1,5})?(?:/[!-~]*)?")


def _require_usable(where: str, cluster: kubeconfigs.Cluster) -> None:
    if not _SERVER.fullmatch(cluster.server):
        raise _bad(f"{where}: its server is no https:// address")
    for value, words in ((cluster.tls_server_name, "tls-server-name"), (cluster.proxy_url, "proxy-url")):
        if not value.isascii() or not value.isprintable():
            raise _bad(f"{where}: its {words} holds signs that no address has")
    if cluster.proxy_url and not _PROXY.match(cluster.proxy_url):
        raise _bad(f"{where}: its proxy-url is no http, https or socks5 URL")
    if cluster.insecure_skip_tls_verify:
        raise _bad(f"{where}: insecure-skip-tls-verify is refused; give it certificate-authority-data")


def _require_token(where: str, token: str) -> None:
    if not proofs.is_token(token):
        raise _bad(f"{where}: its token holds blanks, line breaks or other signs that no token has")


def _require_supported(where: str, user: kubeconfigs.User) -> None:
    provider = user.auth_provider.name if user.auth_provider is not None else "oidc"
    words, hint = "", "Use a token, a token file or a client certificate."
    if user.username or user.password:
        words = "a user name and password"
    elif provider in _GIVEN_UP:
        words, hint = f"the auth-provider {provider}", _GIVEN_UP[provider]
    elif provider != "oidc":
        words = "an auth-provider that is not oidc"
    if words:
        message = f"{where}: its user proves itself by {words}, which fleetctl cannot use"
        raise errors.NotConfigured(codes.Code.KUBE_UNSUPPORTED_AUTH, message, hint)
    if user.auth_provider is not None and user.exec is not None:
        raise _bad(f"{where}: its user has an exec plugin and an auth-provider; it can have one")


def _impersonation(where: str, user: kubeconfigs.User) -> tuple[tuple[str, str], ...]:
    extra = {key: found or () for key, found in (user.as_user_extra or {}).items()}
    try:
        return proofs.impersonation(user.impersonate, user.as_uid, user.as_groups or (), extra)
    except ValueError as error:
        raise _bad(f"{where}: {error}") from None


def _bad(message: str) -> errors.NotConfigured:
    return errors.NotConfigured(codes.Code.KUBE_BAD_KUBECONFIG, message)
