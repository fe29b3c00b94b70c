"""Provider ``sops``: files encrypted with SOPS, through its own binary, which knows its keys (KMS, age, PGP, Vault).

``sops decrypt`` came with 3.9. Its exit codes are those of ``cmd/sops/codes/codes.go``; what it says is not shown.
"""

from __future__ import annotations

import contextlib
import shutil

from fleetctl.model import codes, secretrefs
from fleetctl.secrets import commands, inside, masking, providers

__all__ = ["Sops"]

_MOST = 4 * masking.MOST
_SAID = {
    51: (codes.Code.SECRET_BROKEN, "was changed by hand: its MAC does not match"),
    52: (codes.Code.SECRET_BROKEN, "has no MAC"),
    111: (codes.Code.SECRET_BROKEN, "names no key that it is encrypted with"),
    128: (codes.Code.SECRET_REFUSED, "cannot be opened with the keys at hand (SOPS_AGE_KEY_FILE, KMS login, ...)"),
}


class Sops:
    """Decrypts each file once, however many values are asked of it: opening may cost a call to a KMS."""

    def __init__(self, around: providers.Surroundings, timeout: float = commands.TIMEOUT) -> None:
        self._around = around
        self._timeout = timeout
        self._opened: dict[tuple[str, bool], inside.Opened] = {}

    def fetch(self, key: secretrefs.Key, _stack: contextlib.ExitStack) -> masking.Secret:
        """Return the value at ``FILE`` or ``FILE#PATH``; raises ``Fault``."""
        name, _, path = str(key).partition("#")
        known = (name, bool(path))
        if known not in self._opened:
            self._opened[known] = inside.Opened(self._decrypted(name, as_json=bool(path)), name)
        return self._opened[known].secret(path)

    def _decrypted(self, name: str, *, as_json: bool) -> bytes:
        binary = shutil.which("sops", path=self._around.variables.get("PATH", ""))
        if binary is None:
            message = "the sops binary is not in the PATH (https://getsops.io)"
            raise providers.Fault(codes.Code.SECRET_NOT_CONFIGURED, message, whole=True)
        file = self._around.path(name)
        if not file.is_file():
            raise providers.Fault(codes.Code.SECRET_NOT_FOUND, f"there is no file {name}")
        style = ["--output-type", "json"] if as_json else []
        words = [binary, "decrypt", *style, str(file)]
        done = commands.run(self._around, words, timeout=self._timeout, most=_MOST)
        if done.status:
            otherwise = codes.Code.SECRET_BROKEN, f"cannot be decrypted: sops ended with {done.status}; run it by hand"
            code, what = _SAID.get(done.status, otherwise)
            raise providers.Fault(code, f"{name} {what}")
        return done.output
