"""Defaults of flags: from the environment, the user's own file and the project's, each checked where it is written.

Where nobody sets any, neither the reader of YAML nor the checker of shapes is imported.
"""

from __future__ import annotations

import inspect
import os
import pathlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from fleetctl.inventory import locating
from fleetctl.model import codes, errors, problems, settings
from fleetctl.reading import disk

if TYPE_CHECKING:
    from fleetctl.reading import yaml12

__all__ = ["load", "user_file"]

_FIELD = "flags"
_Group = TypeVar("_Group")


def user_file(environment: Mapping[str, str]) -> pathlib.Path:
    """Return where the user's own settings are, there or not: ``$XDG_CONFIG_HOME/fleetctl/config.yaml``.

    A relative ``XDG_CONFIG_HOME`` does not count (XDG Base Directory Specification 0.8).
    """
    home = pathlib.Path(environment.get("XDG_CONFIG_HOME", ""))
    base = home if home.is_absolute() else pathlib.Path(os.path.expanduser("~/.config"))  # noqa: PTH111  # never raises
    return base / "fleetctl" / "config.yaml"


def load(environment: Mapping[str, str], project: pathlib.Path | None) -> settings.Settings:
    """Return the settings that count; ``project`` is the project's folder, if there is one.

    Raises ``InvalidInput`` for a file and ``UsageError`` for a variable that cannot be taken.
    """
    layers = [_variables(environment), _of_user(user_file(environment))]
    if project is not None:
        layers.append(_of_project(project / locating.FILE))
    merged: dict[str, settings.Setting] = {}
    for layer in reversed(layers):
        merged |= layer
    every = tuple(merged.get(flag.name, settings.Setting(flag.name, flag.built_in or None)) for flag in settings.FLAGS)
    return settings.Settings(_group(settings.Showing, merged), _group(settings.Running, merged), every)


def _group(group: Callable[..., _Group], merged: Mapping[str, settings.Setting]) -> _Group:
    """Fill a group with what is set, and leave out what is only built in."""
    names = inspect.signature(group).parameters
    return group(**{name: merged[name].value for name in names if name in merged})


def _variables(environment: Mapping[str, str]) -> dict[str, settings.Setting]:
    """Take what the environment sets; an empty variable sets nothing."""
    given = {name: text for name, text in environment.items() if name.startswith("FLEETCTL_") and text}
    for variable in given:
        never = settings.refusal(variable.removeprefix("FLEETCTL_"))
        if never:
            message = f"{variable} is set, but {never}"
            raise errors.UsageError(codes.Code.SETTINGS_NEVER_A_DEFAULT, message, f"Unset it: unset {variable}")
    found: dict[str, settings.Setting] = {}
    for flag in settings.FLAGS:
        text = given.get(flag.variable, "")
        if not text:
            continue
        from fleetctl.schema import checking, shapes

        value = int(text) if flag.name == "concurrency" and text.isdecimal() else text
        for fault in checking.faults({flag.name: value}, shapes.Flags):
            raise errors.UsageError(codes.Code.USAGE, f"{flag.variable}: {fault}")
        found[flag.name] = settings.Setting(flag.name, value, settings.Layer.ENVIRONMENT, flag.variable)
    return found


def _of_user(path: pathlib.Path) -> dict[str, settings.Setting]:
    """Take what the user's own file sets, if there is one; raises ``InvalidInput``."""
    if not disk.is_there(path):
        return {}
    from fleetctl.schema import checking

    text, found = disk.read(path, str(path))
    document, faults = (None, []) if found else checking.only(text, str(path), "settings", "Settings")
    if document is None:
        raise errors.InvalidInput(found + faults, files=1)
    return _taken(document, settings.Layer.USER, path.parent)


def _of_project(path: pathlib.Path) -> dict[str, settings.Setting]:
    """Take what the project's file sets; what is wrong with it is said by whoever opens the project."""
    text, found = disk.read(path, locating.FILE)
    if _FIELD.encode() not in text:
        return {}
    from fleetctl.schema import checking

    document = None if found else checking.only(text, locating.FILE, "project", "Project")[0]
    return {} if document is None else _taken(document, settings.Layer.PROJECT, path.parent)


def _taken(document: yaml12.Document, layer: settings.Layer, folder: pathlib.Path) -> dict[str, settings.Setting]:
    said = problems.value_at(document.data, (_FIELD,))
    return {
        name: settings.Setting(name, _value(name, value, folder), layer, str(document.mark((_FIELD, name))))
        for name, value in (said.items() if isinstance(said, dict) else ())
    }


def _value(name: str, value: str | int, folder: pathlib.Path) -> str | int:
    """Return a value as it counts: paths in a file are relative to the file."""
    is_path = next(flag.is_path for flag in settings.FLAGS if flag.name == name)
    return os.path.normpath(folder / os.path.expanduser(str(value))) if is_path else value  # noqa: PTH111
