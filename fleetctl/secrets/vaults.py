"""Provider ``vault``: the KV store of HashiCorp Vault and OpenBao, versions 1 and 2, over their HTTP API.

Set up by the variables that their own command line takes: ``VAULT_ADDR``, ``VAULT_TOKEN`` (or ``~/.vault-token``),
``VAULT_NAMESPACE``, ``VAULT_CACERT``. For machines, ``VAULT_ROLE_ID`` with ``VAULT_SECRET_ID`` logs in by AppRole.
Which version a mount has is asked the way ``vault kv`` asks (API, /sys/internal/ui/mounts).
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

from fleetctl.model import codes, problems, secretrefs
from fleetctl.secrets import files, inside, masking, providers
from fleetctl.web import fetching

__all__ = ["Vault"]

_TOKEN_FILE = "~/.vault-token"  # noqa: S105  # where it lies, not what it is
_UNAUTHENTICATED: Mapping[str, str] = {"X-Vault-Request": "true"}


class Vault:
    """Reads each path once."""

    def __init__(self, around: providers.Surroundings, timeout: float = 30.0) -> None:
        self._around = around
        self._timeout = timeout
        self._client: fetching.Client | None = None
        self._read: dict[str, dict[str, Any]] = {}
        self._mounts: dict[str, str] = {}
        """Mount path, with its slash, to what stands between it and the rest in an address."""

    def fetch(self, key: secretrefs.Key, stack: contextlib.ExitStack) -> masking.Secret:
        """Return the field at ``MOUNT/PATH#FIELD``; raises ``Fault``."""
        path, _, field = str(key).partition("#")
        path = path.strip("/")
        if any(part in ("", ".", "..") for part in path.split("/")):
            raise providers.Fault(codes.Code.SECRET_NOT_FOUND, f'"{path}" is not a path of Vault')
        if path not in self._read:
            if self._client is None:
                self._client = self._connected(stack)
            self._read[path] = self._data(self._client, path)
        data = self._read[path]
        if field not in data:
            raise providers.Fault(codes.Code.SECRET_NOT_FOUND, f"{path} has no field {field}")
        what = f"{path}#{field}"
        return providers.taken(inside.text_of(data[field], what), what, output=False)

    def _data(self, client: fetching.Client, path: str) -> dict[str, Any]:
        mount, versioned = self._mount(client, path)
        rest = path.removeprefix(mount)
        answer = _asked(client, f"v1/{_quoted(mount)}{versioned}{_quoted(rest)}", path)
        data = problems.value_at(answer, ("data", "data") if versioned else ("data",))
        if not isinstance(data, dict):
            raise providers.Fault(codes.Code.SECRET_BROKEN, f"the answer for {path} is not one of a KV store")
        return data

    def _mount(self, client: fetching.Client, path: str) -> tuple[str, str]:
        for mount, versioned in self._mounts.items():
            if path.startswith(mount):
                return mount, versioned
        answer = _asked(client, f"v1/sys/internal/ui/mounts/{_quoted(path)}", path)
        place = problems.value_at(answer, ("data", "path"))
        mount = place if isinstance(place, str) else ""
        if not mount.endswith("/") or not f"{path}/".startswith(mount):
            raise providers.Fault(codes.Code.SECRET_BROKEN, f"Vault does not say where {path} is mounted")
        version = problems.value_at(answer, ("data", "options", "version"))
        self._mounts[mount] = "data/" if version == "2" else ""
        return mount, self._mounts[mount]

    def _connected(self, stack: contextlib.ExitStack) -> fetching.Client:
        variables = self._around.variables
        address = variables.get("VAULT_ADDR", "")
        if not address:
            raise _unusable("VAULT_ADDR is not set, so it is not known where Vault is")
        if not address.startswith("https://") and not _is_local(address):
            raise _unusable("VAULT_ADDR must begin with https://; tokens do not travel in the clear")
        headers = {**_UNAUTHENTICATED}
        if variables.get("VAULT_NAMESPACE"):
            headers["X-Vault-Namespace"] = variables["VAULT_NAMESPACE"]
        token = self._token()
        if token is None:
            with self._client_with(headers) as client:
                token = _logged_in(client, variables)
        return stack.enter_context(self._client_with({**headers, "X-Vault-Token": token}))

    def _client_with(self, headers: Mapping[str, str]) -> fetching.Client:
        variables = self._around.variables
        authority = variables.get("VAULT_CACERT") or None
        try:
            return fetching.Client(
                variables["VAULT_ADDR"], headers, authority=authority, timeout=self._timeout, most=4 * masking.MOST
            )
        except fetching.FetchError as error:
            raise _unusable(f"Vault cannot be asked: {error.message}") from None

    def _token(self) -> str | None:
        """Return the operator's token; None when there is none and AppRole has to do."""
        variables = self._around.variables
        if variables.get("VAULT_TOKEN"):
            return variables["VAULT_TOKEN"]
        if variables.get("VAULT_ROLE_ID"):
            return None
        try:
            text = files.read(self._around.path(_TOKEN_FILE), _TOKEN_FILE)
        except providers.Fault as fault:
            if fault.code is not codes.Code.SECRET_NOT_FOUND:
                raise providers.Fault(fault.code, fault.message, whole=True) from None
            raise _unusable(
                f"no token for Vault: set VAULT_TOKEN or VAULT_ROLE_ID, or log in ({_TOKEN_FILE})"
            ) from None
        return text.decode("ascii", "replace").strip()


def _logged_in(client: fetching.Client, variables: Mapping[str, str]) -> str:
    """Return a token for a role (API, auth/approle/login)."""
    body = {"role_id": variables["VAULT_ROLE_ID"], "secret_id": variables.get("VAULT_SECRET_ID", "")}
    try:
        answer = client.ask("v1/auth/approle/login", "POST", body).json()
    except fetching.FetchError as error:
        if error.status in {400, 403}:
            message = "Vault refuses the AppRole login (VAULT_ROLE_ID, VAULT_SECRET_ID)"
            raise providers.Fault(codes.Code.SECRET_REFUSED, message, whole=True) from None
        raise _fault(error, "the login") from None
    token = problems.value_at(answer, ("auth", "client_token"))
    if not isinstance(token, str):
        raise providers.Fault(codes.Code.SECRET_BROKEN, "the AppRole login gives no token", whole=True)
    return token


def _asked(client: fetching.Client, address: str, path: str) -> object:
    try:
        return client.ask(address).json()
    except fetching.FetchError as error:
        raise _fault(error, path) from None


def _fault(error: fetching.FetchError, path: str) -> providers.Fault:
    match error.failure:
        case "missing":
            gone = (
                f"the newest version of {path} was deleted" if _deleted(error.body) else f"Vault has nothing at {path}"
            )
            return providers.Fault(codes.Code.SECRET_NOT_FOUND, gone)
        case "refused":
            message = f"Vault does not let this token read {path}, or there is no such path"
            return providers.Fault(codes.Code.SECRET_REFUSED, message)
        case "unreachable" if error.status == 503:
            return providers.Fault(codes.Code.SECRET_UNAVAILABLE, "Vault is sealed or in maintenance (503)", whole=True)
        case "unreachable":
            return providers.Fault(codes.Code.SECRET_UNAVAILABLE, f"Vault: {error.message}", whole=True)
        case "untrusted":
            return _unusable(f"the certificate of Vault is not to be trusted: {error.message}")
        case _:
            return providers.Fault(
                codes.Code.SECRET_BROKEN, f"Vault gives no usable answer for {path}: {error.message}"
            )


def _deleted(body: bytes) -> bool:
    """Tell a deleted version, whose 404 carries metadata, from nothing at all (API, KV version 2, read)."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(problems.value_at(answer, ("data", "metadata")), dict)


def _unusable(message: str) -> providers.Fault:
    return providers.Fault(codes.Code.SECRET_NOT_CONFIGURED, message, whole=True)


def _quoted(path: str) -> str:
    return urllib.parse.quote(path, safe="/")


def _is_local(address: str) -> bool:
    host = urllib.parse.urlsplit(address).hostname or ""
    try:
        return address.startswith("http://") and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return address.startswith("http://") and host == "localhost"
