"""``${vars.path}``: values that stand for other values of the same site, resolved once after the merge.

A text that is nothing but a reference takes the value with its type; inside other text only scalars can stand.
``$${vars.x}`` is the text ``${vars.x}`` itself; other dollar signs mean nothing here. What begins as a reference and is
none (``${vars}``, ``${vars.x`` without an end) is an error and not text: nobody means it.
"""

from __future__ import annotations

import re
from typing import Any

from fleetctl.model import codes, layering, problems, values
from fleetctl.reading import scalars

__all__ = ["resolve"]

_LONGEST = 2**20
_MOST = 100_000
"""Values that the references of a site stand for, counted each time they are used."""
_DEEPEST = 32
_BEGINS = "${vars"
_REFERENCE = re.compile(r"\$?\$\{vars(?:\.(?P<plain>[^{}]+)|(?P<quoted>\[[^{}]+))\}|\$?\$\{vars(?![A-Za-z0-9_-])")
"""A reference, or what begins like one: without a path."""


def resolve(site_vars: values.Vars) -> tuple[values.Vars, list[layering.Fault]]:
    """Return vars with every reference replaced; a reference that leads nowhere or in a circle is a fault."""
    resolver = _Resolver(site_vars)
    resolved = {key: resolver.value(value, (key,)) for key, value in site_vars.items()}
    return resolved, resolver.faults


class _Resolver:
    def __init__(self, site_vars: values.Vars) -> None:
        self._vars = site_vars
        self._open: list[problems.Field] = []  # the texts that are being resolved, each because of the one before
        # What texts stand for, NOTHING after a fault, and to how many values that unfolds.
        self._known: dict[problems.Field, tuple[Any, int]] = {}
        self._size = 0
        self._exhausted = False
        self.faults: list[layering.Fault] = []

    def value(self, value: values.Value, field: problems.Field) -> values.Value:
        if isinstance(value, str) and _BEGINS in value:
            made: values.Value = self._text(value, field)
            return None if made is problems.NOTHING else made
        if self._open:  # what no reference leads to is there once, as it was written
            self._size += 1
        if isinstance(value, dict):
            return {key: self.value(inner, (*field, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, (*field, index)) for index, inner in enumerate(value)]
        return value

    def _text(self, text: str, field: problems.Field) -> Any:  # noqa: ANN401  # a value or NOTHING
        if self._exhausted:
            return problems.NOTHING
        if field in self._known:
            made, size = self._known[field]
            self._size += size
        elif field in self._open or len(self._open) == _DEEPEST:
            return self._endless(field)
        else:
            before = self._size
            self._open.append(field)
            made = self._made(text, field)
            self._open.pop()
            self._known[field] = (made, self._size - before)
        if self._size <= _MOST or self._exhausted:
            return made
        self._exhausted = True
        message = f"references unfold to more than {_MOST:,} values"
        return self._fault(codes.Code.INVENTORY_REFERENCE_CYCLE, field, message)

    def _made(self, text: str, field: problems.Field) -> Any:  # noqa: ANN401  # a value or NOTHING
        whole = _REFERENCE.fullmatch(text)
        if whole and not text.startswith("$$"):
            return self._target(whole, field)
        self._size += 1
        made = _REFERENCE.sub(lambda match: self._inside(match, field), text)
        if len(made) <= _LONGEST:
            return made
        message = f"references unfold to more than {_LONGEST:,} characters"
        self._fault(codes.Code.INVENTORY_REFERENCE_CYCLE, field, message)
        return ""

    def _inside(self, match: re.Match[str], field: problems.Field) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        before = self._size
        value = self._target(match, field)
        if value is problems.NOTHING:
            return ""
        if isinstance(value, dict | list) or value is None:
            message = f"{match[0]} is {values.kind_of(value)}; only text, numbers and booleans can stand inside text"
            self._fault(codes.Code.INVENTORY_REFERENCE_MISSING, field, message)
            return ""
        self._size = before  # it becomes a part of one text
        return values.text_of(value)

    def _target(self, match: re.Match[str], field: problems.Field) -> Any:  # noqa: ANN401  # a value or NOTHING
        try:
            target = problems.parse_field(match["plain"] or match["quoted"] or ".")
        except ValueError:
            rest = match.string[match.start() :]
            shown = rest[: rest.find("}") + 1] or rest
            message = (
                f"{values.kind_of(shown).removeprefix('the text ')} is no reference; write ${{vars.path}}, or a second "
                "dollar before it for the text itself"
            )
            return self._fault(codes.Code.INVENTORY_REFERENCE_MALFORMED, field, message)
        value: Any = self._vars
        for depth, step in enumerate(target):
            inner = problems.value_at(value, (step,))
            if inner is problems.NOTHING:
                known = sorted(value) if isinstance(value, dict) else []
                message = f"vars.{problems.field_text(target[: depth + 1])} does not exist"
                near = scalars.did_you_mean(str(step), known)
                return self._fault(codes.Code.INVENTORY_REFERENCE_MISSING, field, message + near)
            value = inner
        if isinstance(value, str) and _BEGINS in value:
            return self._text(value, target)
        return self.value(value, target)

    def _endless(self, field: problems.Field) -> Any:  # noqa: ANN401  # NOTHING
        """Report a circle where it closes, or a chain that no person wrote."""
        chain = [*self._open[self._open.index(field) :], field] if field in self._open else [*self._open[:3], ()]
        shown = " > ".join(f"vars.{problems.field_text(step)}" if step else "..." for step in chain)
        what = "the reference leads back to itself" if chain[-1] else f"more than {_DEEPEST} references in a row"
        return self._fault(codes.Code.INVENTORY_REFERENCE_CYCLE, self._open[-1], f"{what}: {shown}")

    def _fault(self, code: codes.Code, field: problems.Field, message: str) -> Any:  # noqa: ANN401  # NOTHING
        fault = layering.Fault(code, field, message)
        if fault not in self.faults:
            self.faults.append(fault)
        return problems.NOTHING
