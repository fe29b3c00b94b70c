"""Tokens of a kubeconfig's user replaced in its file, as kubectl does: refresh tokens may be good for one use only.

Everything else in the file stays as it is, and it is replaced as a whole: whoever reads it finds the old tokens or the
new ones. Processes that refresh take turns by ``flock``; for kubectl's sake the writing itself is done under the lock
file of client-go's ``tools/clientcmd`` (``PATH.lock``), which a process that was killed leaves behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from fleetctl.kube import renewing
from fleetctl.reading import disk, editing, yaml12

__all__ = ["Place", "Tokens", "alone", "read", "require_writable", "save"]

_TURN: Final = 20.0
"""Seconds to wait for another process that refreshes."""
_KUBECTL: Final = 3.0
"""Seconds to wait for kubectl's lock: it writes in less, so that one which lasts was left behind."""
_LOOK: Final = 0.05


class Tokens(msgspec.Struct, frozen=True):
    """What an issuer gives."""

    id_token: str
    refresh_token: str

    def __repr__(self) -> str:
        """Show nothing of them."""
        return "Tokens()"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show nothing of them to libraries that draw records."""
        return []


class Place(msgspec.Struct, frozen=True):
    """A kubeconfig, and the name of a user in it."""

    path: pathlib.Path
    user: str


@contextlib.contextmanager
def alone(path: pathlib.Path, unwanted: threading.Event) -> Iterator[None]:
    """Let no other process of ours refresh the tokens of a kubeconfig; raises ``Unusable``."""
    ends = time.monotonic() + _TURN
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _unreadable(path, error) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had the lock before has put another file in its place.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                break
        except OSError:
            if time.monotonic() >= ends:
                os.close(descriptor)
                raise renewing.Unusable(f"another process has refreshed the tokens of {path} for too long") from None
        os.close(descriptor)
        if unwanted.wait(_LOOK):
            raise renewing.Unusable("nobody waited for it any more")
    try:
        yield
    finally:
        os.close(descriptor)


def read(place: Place) -> Tokens:
    """Return the tokens that a file has now; raises ``Unusable``."""
    said = _config(_data(place, _text(place)), place)
    found = [said.get(key) for key in ("id-token", "refresh-token")]
    return Tokens(*(one if isinstance(one, str) else "" for one in found))


def require_writable(place: Place) -> None:
    """See whether tokens can be saved, before one is used up; raises ``Unusable``."""
    real = place.path.resolve()
    if not os.access(real, os.W_OK) or not os.access(real.parent, os.W_OK | os.X_OK):
        raise renewing.Unusable(f"{place.path} cannot be written, and new tokens belong there: log in again")
    _edited(place, _text(place), Tokens("a.b.c", "d"))


def save(place: Place, tokens: Tokens) -> None:
    """Put tokens in the place of those that a file has; raises ``Unusable``."""
    real = place.path.resolve()
    with _before_kubectl(place.path):
        text = _text(place)
        fresh = _edited(place, text, tokens)
        if fresh == text:
            return
        try:
            disk.replace(real, fresh, like=real.stat())
        except OSError as error:
            message = f"its new tokens cannot be saved in {place.path}: {error.strerror}"
            raise renewing.Unusable(message) from None


@contextlib.contextmanager
def _before_kubectl(path: pathlib.Path) -> Iterator[None]:
    lock, ends = path.with_name(f"{path.name}.lock"), time.monotonic() + _KUBECTL
    ours = False
    while not ours and time.monotonic() < ends:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0))
            ours = True
        except FileExistsError:
            time.sleep(_LOOK)
        except OSError:
            break
    try:
        yield
    finally:
        if ours:
            lock.unlink(missing_ok=True)


def _text(place: Place) -> bytes:
    try:
        return place.path.read_bytes()
    except OSError as error:
        raise _unreadable(place.path, error) from None


def _data(place: Place, text: bytes) -> Any:  # noqa: ANN401  # a file's data
    try:
        if _is_json(text):
            return msgspec.json.decode(text)
        documents, found = yaml12.read(text, str(place.path))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        documents, found = [], []
    if found or not documents:
        raise renewing.Unusable(f"{place.path} is no kubeconfig any more")
    return documents[0].data


def _edited(place: Place, text: bytes, tokens: Tokens) -> bytes:
    """Return the text of a file with other tokens; raises ``Unusable``."""
    data = _data(place, text)
    fresh = {"id-token": tokens.id_token, "refresh-token": tokens.refresh_token}
    if _is_json(text):
        _config(data, place).update(fresh)
        encoded = msgspec.json.encode(data)
        return msgspec.json.format(encoded, indent=4) + b"\n" if b"\n" in text.strip() else encoded
    field = ("users", _index(data, place), "user", "auth-provider", "config")
    _config(data, place)
    changes = [editing.Change(0, (*field, key), value) for key, value in fresh.items()]
    try:
        return editing.changed(text, str(place.path), changes, {})
    except editing.Obstacle as obstacle:
        message = f"new tokens cannot be written into {place.path}: {obstacle.message}"
        raise renewing.Unusable(message) from None


def _index(data: Any, place: Place) -> int:  # noqa: ANN401  # a file's data
    users = data.get("users") if isinstance(data, dict) else None
    for index, one in enumerate(users if isinstance(users, list) else ()):
        if isinstance(one, dict) and one.get("name") == place.user:
            return index
    raise _lost(place)


def _config(data: Any, place: Place) -> dict[str, Any]:  # noqa: ANN401  # a file's data
    """Return what a file says of the user's auth-provider."""
    try:
        found = data["users"][_index(data, place)]["user"]["auth-provider"]["config"]
    except (LookupError, TypeError):
        raise _lost(place) from None
    if not isinstance(found, dict):
        raise _lost(place)
    return found


def _is_json(text: bytes) -> bool:
    return text.lstrip()[:1] == b"{"


def _lost(place: Place) -> renewing.Unusable:
    return renewing.Unusable(f'{place.path} has no auth-provider for the user "{place.user}" any more')


def _unreadable(path: pathlib.Path, error: OSError) -> renewing.Unusable:
    return renewing.Unusable(f"{path} cannot be read: {error.strerror}")
