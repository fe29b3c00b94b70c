"""A value that must not be seen: it prints as ``(secret)``, compares in constant time, does not leave by accident."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn, Self

__all__ = ["MOST", "SHOWN", "Secret", "TooLarge"]

SHOWN: Final = "(secret)"
"""What ``repr``, ``str`` and every format give."""
MOST: Final = 2**20
"""Bytes of one value, as many as a Secret of Kubernetes takes."""


class TooLarge(ValueError):
    """A value is larger than ``MOST``."""


class Secret:
    """A secret's bytes. Only ``reveal`` gives them out; pickling and encoding are refused, copies are itself."""

    __slots__ = ("_value",)
    _value: bytes

    def __init__(self, value: bytes) -> None:
        if len(value) > MOST:
            raise TooLarge
        object.__setattr__(self, "_value", value)

    @classmethod
    def of_output(cls, value: bytes) -> Self:
        r"""Return what a file or a command holds: text without the line end that editors and commands add.

        One ``\n`` or ``\r\n`` at the end goes, as shells do it for ``$(...)``; what is no UTF-8 text stays as it is.
        """
        try:
            value.decode()
        except UnicodeDecodeError:
            return cls(value)
        if value.endswith(b"\n"):
            value = value[:-1].removesuffix(b"\r")
        return cls(value)

    def reveal(self) -> bytes:
        """Return the bytes; for the last moment before they are used."""
        return self._value

    def __repr__(self) -> str:
        return SHOWN

    def __str__(self) -> str:
        return SHOWN

    def __format__(self, spec: str) -> str:
        return format(SHOWN, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # as a key it would be compared by a hash of the value

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __setattr__(self, name: str, _value: object) -> NoReturn:
        msg = f"a secret does not change ({name})"
        raise AttributeError(msg)

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        msg = "a secret cannot be pickled"
        raise TypeError(msg)
