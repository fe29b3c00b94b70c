"""A value inside a decrypted file: YAML or JSON, read once, looked into by path. No message quotes the file."""

from __future__ import annotations

from fleetctl.model import codes, problems, values
from fleetctl.reading import yaml12
from fleetctl.secrets import masking, providers

__all__ = ["Opened", "text_of"]


class Opened:
    """What a decrypted file holds; it prints as nothing."""

    __slots__ = ("_bytes", "_data", "_shown")

    def __init__(self, text: bytes, shown: str) -> None:
        self._bytes = text
        self._data: object = problems.NOTHING
        self._shown = shown

    def __repr__(self) -> str:
        return f"Opened({self._shown!r})"

    def secret(self, path: str) -> masking.Secret:
        """Return the whole file for "", or the value at a path such as ``db.users[0].password``; raises ``Fault``."""
        if not path:
            return providers.taken(self._bytes, self._shown, output=True)
        try:
            field = problems.parse_field(path)
        except ValueError:
            raise providers.Fault(codes.Code.SECRET_NOT_FOUND, f'"{path}" is not a path into {self._shown}') from None
        if self._data is problems.NOTHING:
            self._data = self._read()
        value = problems.value_at(self._data, field)
        if value is problems.NOTHING:
            raise providers.Fault(codes.Code.SECRET_NOT_FOUND, f"{self._shown} has no {path}")
        return providers.taken(text_of(value, f"{path} in {self._shown}"), f"{path} in {self._shown}", output=False)

    def _read(self) -> object:
        documents, found = yaml12.read(self._bytes, self._shown)
        if found or len(documents) != 1:
            line = f", line {found[0].mark.line}" if found and found[0].mark and found[0].mark.line else ""
            message = f"{self._shown} holds no single YAML 1.2 or JSON document to look into{line}"
            raise providers.Fault(codes.Code.SECRET_BROKEN, message)
        return documents[0].data


def text_of(value: object, what: str) -> bytes:
    """Return a scalar as bytes; raises ``Fault`` for a map, a list and null."""
    if isinstance(value, str | int | float):
        return values.text_of(value).encode("utf-8", "surrogateescape")
    kind = "null" if value is None else "a map" if isinstance(value, dict) else "a list"
    raise providers.Fault(codes.Code.SECRET_BAD_VALUE, f"{what} is {kind}; a secret is text, a number or a boolean")
