"""What is typed, to what a command takes, without pydantic where nothing has to be converted.

Typer 0.29 makes a pydantic adapter for every parameter of a command that runs, and importing pydantic costs more than
most of our commands do. Text stays text and a member of an enumeration stays itself whoever looks at them; everything
else, and everything that is wrong, goes Typer's way, so that its messages stay Typer's.
"""

from __future__ import annotations

import enum
import typing
from typing import Any

__all__ = ["Quick", "prepare"]


class Quick:
    """Takes what already is what its parameter wants, and leaves all else to Typer."""

    def __init__(self, parameter: Any, annotation: Any) -> None:  # noqa: ANN401  # vendored type, any annotation
        self._parameter = parameter
        self._annotation = annotation
        self._of_many = typing.get_args(annotation)[:1] if typing.get_origin(annotation) is list else ()

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401  # vendored types
        """Return the value as the command takes it; Typer calls this for each parameter of a command that runs."""
        if self._of_many and isinstance(value, list | tuple):
            if all(_is(one, self._of_many[0]) for one in value):
                return list(value)
        elif not self._of_many and (_is(value, self._annotation) or (value is None and not param.multiple)):
            return value
        elif isinstance(value, str) and _is_enumeration(self._annotation):
            found = next((member for member in self._annotation if member.value == value), None)
            if found is not None:
                return found
        self._parameter._runtime_param = None  # noqa: SLF001  # as Typer made it: now it makes its own
        return self._parameter.get_runtime_param().coerce(value, param=param, ctx=ctx)


def prepare(parameter: Any) -> None:  # noqa: ANN401  # vendored type
    """Let a parameter of Typer's take the short way, if its type is one of those that need no conversion."""
    descriptor = getattr(parameter, "type_descriptor", None)
    if descriptor is None or descriptor.is_file or descriptor.is_path or descriptor.is_ranged:
        return
    if getattr(parameter, "_runtime_param", "") is None and descriptor.parameter_info.parser is None:
        parameter._runtime_param = Quick(parameter, descriptor.annotation)  # noqa: SLF001


def _is(value: object, annotation: object) -> bool:
    return isinstance(annotation, type) and type(value) is annotation


def _is_enumeration(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, enum.Enum)
