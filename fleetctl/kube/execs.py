"""The ``exec`` of a kubeconfig's user: which program is to be run, with what, and what it is told.

Source: ``ExecConfig`` of the API ``kubeconfig.v1``, as client-go checks it (``clientcmd``'s validation) and calls it.
"""

from __future__ import annotations

import base64
import pathlib
import shutil
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from fleetctl.kube import plugins
from fleetctl.model import codes, errors

__all__ = ["EXTENSION", "Exec", "Told", "config_of", "invocation"]

EXTENSION: Final = "client.authentication.k8s.io/exec"
"""The extension of a cluster that its plugins are told."""
_GROUP: Final = "client.authentication.k8s.io/"
_VERSIONS: Final = ("v1", "v1beta1")
_MODES: Final = ("Never", "IfAvailable", "Always")
_LONGEST_HINT: Final = 500


class _Variable(msgspec.Struct):
    name: str = ""
    value: str = ""


class Exec(msgspec.Struct, rename="camel"):
    """How a kubeconfig calls a plugin."""

    api_version: str = ""
    command: str = ""
    args: list[str] | None = None
    env: list[_Variable] | None = None
    install_hint: str = ""
    interactive_mode: str = ""
    provide_cluster_info: bool = False

    def __repr__(self) -> str:
        """Leave out arguments and variables: they may be secret."""
        return f"Exec({self.command})"


class Told(msgspec.Struct):
    """What a plugin that asks for it is told of its cluster."""

    server: str
    tls_server_name: str
    ca: bytes | None
    proxy: str
    disable_compression: bool
    config: Any

    def fields(self) -> dict[str, object]:
        """Return the fields of ``spec.cluster``, without empty ones."""
        ca = base64.b64encode(self.ca).decode() if self.ca else ""
        told = {
            "server": self.server,
            "tls-server-name": self.tls_server_name,
            "certificate-authority-data": ca,
            "proxy-url": self.proxy,
            "disable-compression": self.disable_compression,
            "config": self.config,
        }
        return {name: value for name, value in told.items() if value not in ("", None, False)}


def invocation(called: Exec, folder: pathlib.Path, where: str, cluster: Told) -> plugins.Invocation:
    """Return how to call a plugin of a kubeconfig in a folder; raises ``NotConfigured``. Nothing is run."""
    version = called.api_version.removeprefix(_GROUP)
    if version not in _VERSIONS or not called.api_version.startswith(_GROUP):
        known = " or ".join(f"{_GROUP}{one}" for one in _VERSIONS)
        raise _bad(f"{where}: the apiVersion of its exec plugin is not {known}")
    if not called.command:
        raise _bad(f"{where}: its exec plugin has no command")
    if any(not one.name or "=" in one.name or "\0" in one.name + one.value for one in called.env or ()):
        raise _bad(f"{where}: a variable of its exec plugin has no name, or one that no variable has")
    if any("\0" in word for word in (called.command, *(called.args or ()))):
        raise _bad(f"{where}: an argument of its exec plugin holds a sign that no argument has")
    # Only v1beta1 may leave it out, as in client-go.
    mode = called.interactive_mode or ("IfAvailable" if version == "v1beta1" else "")
    if mode not in _MODES:
        raise _bad(f"{where}: the interactiveMode of its exec plugin is none of {', '.join(_MODES)}")
    if mode == "Always":
        message = f"{where}: its exec plugin wants to ask somebody (interactiveMode: Always), but nobody is asked here"
        hint = "Use a plugin that can do without, or a token or client certificate."
        raise errors.NotConfigured(codes.Code.KUBE_UNSUPPORTED_AUTH, message, hint)
    spec: dict[str, object] = {"interactive": False}
    if called.provide_cluster_info:
        spec["cluster"] = cluster.fields()
    info = {"kind": "ExecCredential", "apiVersion": called.api_version, "spec": spec}
    return plugins.Invocation(
        version,
        (_program(called, folder, where), *(called.args or ())),
        tuple((one.name, one.value) for one in called.env or ()),
        msgspec.json.encode(info, order="deterministic"),
        pathlib.PurePath(called.command).name,
    )


def config_of(extensions: Iterable[Mapping[str, Any]] | None) -> object:
    """Return what a cluster's extensions hold for plugins."""
    for one in extensions or ():
        if one.get("name") == EXTENSION:
            return one.get("extension")
    return None


def _program(called: Exec, folder: pathlib.Path, where: str) -> str:
    """Return the path of a plugin: beside the kubeconfig if it has a slash, else from PATH, but not from here."""
    command = called.command
    found = shutil.which(str((folder / command).absolute()) if "/" in command else command)
    if found is None or not pathlib.PurePath(found).is_absolute():
        hint = "".join(letter if letter.isprintable() else " " for letter in called.install_hint[:_LONGEST_HINT])
        message = f"{where}: its exec plugin {command} is not there, or cannot be run"
        raise errors.NotConfigured(codes.Code.KUBE_NO_PLUGIN, message, " ".join(hint.split()) or "Install it.")
    return found


def _bad(message: str) -> errors.NotConfigured:
    return errors.NotConfigured(codes.Code.KUBE_BAD_KUBECONFIG, message)
