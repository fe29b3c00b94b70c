"""Making the project's key: put where the operator wants it kept, its id written into fleetctl.yaml."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Final

from fleetctl.model import codes, errors, problems, projects, secretrefs
from fleetctl.reading import disk, yaml12, yamltext
from fleetctl.secrets import ages, keyrings, masking, projectkeys, providers, resolving

__all__ = ["PROVIDERS", "init", "place_of"]

PROVIDERS: Final = ("file", "env", "age", "keyring")
"""Where a key can be put; it may be moved by hand to any other provider."""
_HINT = "Nothing was changed."


def place_of(provider: str, key: str | None, project: projects.Project) -> secretrefs.Reference:
    """Return where a key is to be kept, by default under the project's name; raises ``UsageError``."""
    default = {
        "file": f"~/.config/fleetctl/keys/{project.name}.key",
        "env": projectkeys.VARIABLE,
        "age": "project-key.age",
        "keyring": f"fleetctl/{project.name}",
    }
    try:
        said = {"provider": provider, "key": default[provider] if key is None else key}
        return secretrefs.of({secretrefs.KEY: said})
    except ValueError as error:
        raise errors.UsageError(codes.Code.USAGE, f"--key: {str(error).partition(': ')[2]}") from None


def init(
    project: projects.Project,
    settings: pathlib.Path,
    reference: secretrefs.Reference,
    around: providers.Surroundings,
    recipients: Sequence[str] = (),
) -> projectkeys.Key:
    """Make a key, or take the one that a variable holds already, and note it in ``settings`` (fleetctl.yaml).

    Raises ``Refused`` when there is a key already, ``UsageError`` and ``NotConfigured`` when it cannot be kept there.
    """
    if project.key is not None:
        message = f"the project has a key, {project.key.id}, kept in {project.key.reference}"
        raise errors.Refused(codes.Code.KEY_EXISTS, message, "See whether it is at hand: fleetctl keys show")
    kept = _given(reference, around) if reference.provider == "env" else projectkeys.create()
    key = projectkeys.parse(kept, str(reference))
    text = _noted(settings, key.id, reference)
    _keep(kept, reference, around, recipients)
    try:
        mode = settings.stat().st_mode
        disk.replace(settings, text)
        settings.chmod(mode & 0o7777)
    except OSError as error:
        message = f"the key is kept in {reference}, but {settings.name} cannot be written: {error.strerror}"
        raise errors.NotConfigured(
            codes.Code.KEY_UNWRITABLE, message, f"Add to it:\n{_lines(key.id, reference)}"
        ) from None
    return key


def _given(reference: secretrefs.Reference, around: providers.Surroundings) -> masking.Secret:
    """Return the key that a variable holds: a new one could be shown to the operator only on the screen."""
    try:
        with resolving.Resolver(resolving.shipped(around)) as resolver:
            return resolver.one(reference)
    except providers.Fault as fault:
        hint = "Put a key into it first, for example what `openssl rand -base64 32` gives."
        raise errors.NotConfigured(fault.code, f"the project's key: {fault.message}", hint) from None


def _keep(
    kept: masking.Secret, reference: secretrefs.Reference, around: providers.Surroundings, recipients: Sequence[str]
) -> None:
    place = str(reference.key)
    match reference.provider:
        case "file":
            path = around.path(place)
            if _in_git(path, around.root):
                message = f"{place} lies in the project, where it would end up in git"
                raise errors.UsageError(codes.Code.USAGE, message, "Keep it elsewhere, or encrypted: --provider age")
            _create(path, kept.reveal() + b"\n", place)
        case "age":
            _create(around.path(place), _encrypted(kept, recipients), place)
        case "keyring":
            _into_keyring(kept, place)
        case _:  # a variable holds it already
            pass


def _encrypted(kept: masking.Secret, recipients: Sequence[str]) -> bytes:
    if not recipients:
        message = "--provider age needs who may open the key: --recipient age1..., for each of them"
        raise errors.UsageError(codes.Code.USAGE, message)
    try:
        return ages.encrypted(kept, recipients)
    except ValueError as error:
        message = f'--recipient "{error}" is no age recipient (age1... or ssh-ed25519 ...)'
        raise errors.UsageError(codes.Code.USAGE, message) from None


def _into_keyring(kept: masking.Secret, place: str) -> None:
    try:
        new = keyrings.add(place, kept)
    except providers.Fault as fault:
        raise errors.NotConfigured(fault.code, f"the project's key: {fault.message}", _HINT) from None
    if not new:
        raise errors.Refused(codes.Code.KEY_EXISTS, f"the keyring has something for {place} already", _HINT)


def _in_git(path: pathlib.Path, root: pathlib.Path) -> bool:
    resolved, top = path.resolve(), root.resolve()
    return resolved.is_relative_to(top) and not resolved.is_relative_to(top / ".fleetctl")


def _create(path: pathlib.Path, text: bytes, shown: str) -> None:
    """Write a file that nobody else can read and that was not there."""
    try:
        disk.private_folder(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
    except FileExistsError:
        message = f"{shown} is there already; a key that is lost cannot be made again, so nothing is written over"
        raise errors.Refused(codes.Code.KEY_EXISTS, message, _HINT) from None
    except OSError as error:
        message = f"the key cannot be kept in {shown}: {error.strerror}"
        raise errors.NotConfigured(codes.Code.KEY_UNWRITABLE, message, _HINT) from None


def _lines(identity: str, reference: secretrefs.Reference) -> str:
    key = yamltext.quoted(str(reference.key))
    return f"projectKey:\n  id: {identity}\n  keptIn: {{secretRef: {{provider: {reference.provider}, key: {key}}}}}\n"


def _noted(settings: pathlib.Path, identity: str, reference: secretrefs.Reference) -> bytes:
    """Return the settings with the key at their end, everything else as it was; raises ``NotConfigured``."""
    before, found = disk.read(settings, settings.name)
    gap = b"" if before.endswith(b"\n") else b"\n"
    after = before + gap + _lines(identity, reference).encode()
    said = {"id": identity, "keptIn": {secretrefs.KEY: {"provider": reference.provider, "key": reference.key}}}
    if found or _data(after) != {**(_data(before) or {}), "projectKey": said}:
        message = f"{settings.name} is not written in a way that lines can be added to"
        hint = "Write it in block style (key: value, one a line, one document), and try again. Nothing was changed."
        raise errors.NotConfigured(codes.Code.KEY_UNWRITABLE, message, hint)
    return after


def _data(text: bytes) -> dict[str, object] | None:
    documents, found = yaml12.read(text, "")
    data = documents[0].data if len(documents) == 1 and not found else problems.NOTHING
    return data if isinstance(data, dict) else None
