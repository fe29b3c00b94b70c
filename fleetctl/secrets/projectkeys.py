"""The project's key: 32 random bytes that turn secrets into fingerprints, so that a rotated one counts as a change.

A fingerprint stands in digests, the journal and pod annotations, where many may read it. Keyed, it cannot be guessed by
trying values, as a plain hash can; bound to its reference, it does not show that two secrets are equal.

The id is derived from the key, or nobody could tell a wrong key. HMAC-SHA-256 is a pseudorandom function of a random
key (RFC 2104; NIST SP 800-107), and id and fingerprints are asked under labels of their own: an id helps to find
neither the key nor a fingerprint.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Final, NoReturn

from fleetctl.model import codes, errors, placeholders, projects, secretrefs
from fleetctl.secrets import masking, providers, resolving

__all__ = ["VARIABLE", "Key", "create", "load", "parse", "place_of"]

VARIABLE: Final = "FLEETCTL_PROJECT_KEY"
"""A variable that gives the key, wherever fleetctl.yaml says it is kept."""
_BYTES = 32
_ID_LABEL = b"fleetctl project key id v1"
_FINGERPRINT_LABEL = b"fleetctl secret fingerprint v1"


class Key:
    """The key; it prints as its id, and cannot be pickled."""

    __slots__ = ("_bytes", "id")

    def __init__(self, key: bytes) -> None:
        self._bytes = key
        self.id = f"pk-{self._mac(_ID_LABEL)[:16]}"

    def __repr__(self) -> str:
        return f"Key({self.id})"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        msg = "a key cannot be pickled"
        raise TypeError(msg)

    def fingerprint(self, reference: secretrefs.Reference, secret: masking.Secret) -> str:
        """Return what stands for a value where it must not be: 64 hexadecimal digits."""
        # A placeholder holds no NUL, so no two pairs make one text.
        return self._mac(_FINGERPRINT_LABEL, placeholders.text(reference).encode(), secret.reveal())

    def _mac(self, *parts: bytes) -> str:
        return hmac.new(self._bytes, b"\0".join(parts), hashlib.sha256).hexdigest()


def create() -> masking.Secret:
    """Return a new key as it is kept: 32 bytes of the system's randomness in base64."""
    return masking.Secret(base64.b64encode(secrets.token_bytes(_BYTES)))


def parse(kept: masking.Secret, where: str) -> Key:
    """Return the key that was kept somewhere; raises ``NotConfigured`` when it is none."""
    try:
        key = base64.b64decode(kept.reveal().strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _BYTES:
        message = f"{where} holds no project key (32 bytes in base64)"
        raise errors.NotConfigured(codes.Code.KEY_MALFORMED, message, "Take it from a teammate or a backup.")
    return Key(key)


def place_of(project: projects.Project, around: providers.Surroundings) -> str:
    """Return where the key is looked for, as people read it; "" when it was never made."""
    if project.key is None:
        return ""
    return f"the variable {VARIABLE}" if around.variables.get(VARIABLE) else str(project.key.reference)


def load(project: projects.Project, around: providers.Surroundings, resolver: resolving.Resolver) -> Key:
    """Return the key of a project; raises ``NotConfigured`` when there is none, or another one."""
    if project.key is None:
        message = "the project has no key, and secrets in a rollout need one"
        raise errors.NotConfigured(codes.Code.KEY_MISSING, message, "Make it once: fleetctl keys init")
    where, given = place_of(project, around), around.variables.get(VARIABLE)
    if given:
        kept = masking.Secret(given.encode("utf-8", "surrogateescape"))
    else:
        try:
            kept = resolver.one(project.key.reference)
        except providers.Fault as fault:
            hint = f"Take it from a teammate or a backup to that place, or give it in {VARIABLE}."
            raise errors.NotConfigured(fault.code, f"the project's key: {fault.message}", hint) from None
    key = parse(kept, where)
    if not hmac.compare_digest(key.id, project.key.id):
        message = f"{where} holds the key {key.id}, and the project's is {project.key.id}"
        hint = "Every fingerprint would differ, and every secret would look changed. Find the right key."
        raise errors.NotConfigured(codes.Code.KEY_WRONG, message, hint)
    return key
