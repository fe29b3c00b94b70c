"""Provider ``age``: files encrypted with age (https://age-encryption.org/v1), through pyrage.

Identities are those of ``FLEETCTL_AGE_IDENTITIES`` (the text of an identity file), or else of the file that
``FLEETCTL_AGE_IDENTITIES_FILE`` names, by default ``~/.config/fleetctl/age.txt``: lines ``AGE-SECRET-KEY-1...``, with
comments, as age-keygen writes them, or one OpenSSH private key without a passphrase.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleetctl.model import codes, secretrefs
from fleetctl.secrets import files, inside, masking, providers

if TYPE_CHECKING:
    import pyrage

__all__ = ["DEFAULT_IDENTITIES", "Age", "encrypted"]

DEFAULT_IDENTITIES = "~/.config/fleetctl/age.txt"
_TEXT, _FILE = "FLEETCTL_AGE_IDENTITIES", "FLEETCTL_AGE_IDENTITIES_FILE"
_ARMOUR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_MOST = 4 * masking.MOST


class Age:
    """Decrypts each file once."""

    def __init__(self, around: providers.Surroundings) -> None:
        self._around = around
        self._opened: dict[str, inside.Opened] = {}
        self._known: list[pyrage.x25519.Identity | pyrage.ssh.Identity] = []

    def fetch(self, key: secretrefs.Key, _stack: contextlib.ExitStack) -> masking.Secret:
        """Return the value at ``FILE`` or ``FILE#PATH``; raises ``Fault``."""
        name, _, path = str(key).partition("#")
        if name not in self._opened:
            text = files.read(self._around.path(name), name, private=False, most=_MOST)
            self._opened[name] = inside.Opened(self._decrypted(text, name), name)
        return self._opened[name].secret(path)

    def _decrypted(self, text: bytes, name: str) -> bytes:
        import pyrage  # noqa: PLC0415  # only a project with such files pays for it

        identities = self._identities()
        try:
            return bytes(pyrage.decrypt(_bare(text), identities))
        except pyrage.DecryptError as error:
            if "matching" in str(error):
                many = f"none of the {len(identities)} identities at hand opens"
                refused = f"{'the identity at hand does not open' if len(identities) == 1 else many} {name}"
                raise providers.Fault(codes.Code.SECRET_REFUSED, refused) from None
            raise providers.Fault(codes.Code.SECRET_BROKEN, f"{name} is no age file, or it is damaged") from None
        except ValueError:
            raise providers.Fault(codes.Code.SECRET_BROKEN, f"{name} is no age file, or it is damaged") from None

    def _identities(self) -> Sequence[pyrage.x25519.Identity | pyrage.ssh.Identity]:
        if not self._known:
            self._known += _parsed(*self._said())
        return self._known

    def _said(self) -> tuple[bytes, str]:
        """Return the text of the identities, and where it comes from."""
        said = self._around.variables.get(_TEXT)
        if said:
            return said.encode("utf-8", "surrogateescape"), f"the variable {_TEXT}"
        name = self._around.variables.get(_FILE) or DEFAULT_IDENTITIES
        try:
            return files.read(self._around.path(name), name), name
        except providers.Fault as fault:
            code = fault.code if fault.code is not codes.Code.SECRET_NOT_FOUND else codes.Code.SECRET_NOT_CONFIGURED
            message = f"no age identity: {fault.message}; set {_TEXT} or {_FILE}"
            raise providers.Fault(code, message, whole=True) from None


def encrypted(secret: masking.Secret, recipients: Sequence[str]) -> bytes:
    """Encrypt a value for recipients (``age1...`` or ``ssh-...``), in text form; raises ``ValueError`` naming one."""
    import pyrage  # noqa: PLC0415  # see above

    parsed: list[pyrage.x25519.Recipient | pyrage.ssh.Recipient] = []
    for recipient in recipients:
        try:
            of = pyrage.ssh if recipient.startswith("ssh-") else pyrage.x25519
            parsed.append(of.Recipient.from_str(recipient))
        except pyrage.RecipientError:
            raise ValueError(recipient) from None
    return bytes(pyrage.encrypt(secret.reveal(), parsed, armored=True))


def _parsed(text: bytes, where: str) -> list[pyrage.x25519.Identity | pyrage.ssh.Identity]:
    import pyrage  # noqa: PLC0415  # see above

    try:
        if b"PRIVATE KEY-----" in text:
            return [pyrage.ssh.Identity.from_buffer(text)]
        lines = [line.strip() for line in text.decode().splitlines()]
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (pyrage.IdentityError, UnicodeDecodeError):
        found = []
    if not found:
        message = f"{where} holds no age identity (AGE-SECRET-KEY-1..., or an SSH key without a passphrase)"
        raise providers.Fault(codes.Code.SECRET_NOT_CONFIGURED, message, whole=True)
    return list(found)


def _bare(text: bytes) -> bytes:
    """Take the armour off, which is PEM's (age specification, ASCII armor); raises ``ValueError``."""
    stripped = text.strip()
    if not stripped.startswith(_ARMOUR):
        return text
    try:
        return base64.b64decode(b"".join(stripped.splitlines()[1:-1]), validate=True)
    except binascii.Error as error:
        raise ValueError from error
