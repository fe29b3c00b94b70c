"""Provider ``keyring``: the key store of the desktop (Keychain, Secret Service, ...), an optional extra."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import ModuleType

from fleetctl.model import codes, secretrefs
from fleetctl.secrets import masking, providers

__all__ = ["Keyring", "add"]


class Keyring:
    """Reads passwords of the operator's keyring."""

    def fetch(self, key: secretrefs.Key, _stack: contextlib.ExitStack) -> masking.Secret:
        """Return the password at ``SERVICE/USER``; raises ``Fault``."""
        service, _, user = str(key).rpartition("/")
        library = _library()
        with _translated(library):
            value = library.get_password(service, user)
        if value is None:
            raise providers.Fault(codes.Code.SECRET_NOT_FOUND, f"the keyring has nothing for {key}")
        return providers.taken(str(value).encode(), f"{key} in the keyring", output=False)


def add(key: str, secret: masking.Secret) -> bool:
    """Put a password into the keyring and return True, or False where there is one already; raises ``Fault``."""
    service, _, user = key.rpartition("/")
    library = _library()
    with _translated(library):
        if library.get_password(service, user) is not None:
            return False
        library.set_password(service, user, secret.reveal().decode())
    return True


def _library() -> ModuleType:
    try:
        import keyring  # noqa: PLC0415  # an extra
        import keyring.errors  # noqa: PLC0415  # the same
    except ImportError:
        message = 'the keyring library is not installed: pip install "fleetctl[keyring]"'
        raise providers.Fault(codes.Code.SECRET_NOT_CONFIGURED, message, whole=True) from None
    return keyring


@contextlib.contextmanager
def _translated(library: ModuleType) -> Iterator[None]:
    try:
        yield
    except library.errors.NoKeyringError:
        message = "this machine has no keyring"
        raise providers.Fault(codes.Code.SECRET_NOT_CONFIGURED, message, whole=True) from None
    except Exception as error:  # noqa: BLE001  # back ends raise what they like; none of it is quoted
        message = f"the keyring cannot be used ({type(error).__name__})"
        raise providers.Fault(codes.Code.SECRET_UNAVAILABLE, message, whole=True) from None
