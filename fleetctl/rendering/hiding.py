"""Secrets in templates: ``secret("db.password")`` gives something that can be written, and nothing else done with.

When templates are rendered no value is known, so what is written is a placeholder (``model.placeholders``). Whatever
would change the placeholder instead of the value, or decide by it, fails at its line: comparing, slicing, measuring,
looping, and every filter but those below. What can be done later is noted in the placeholder: ``b64enc`` of the whole
value, and ``k``, ``quote`` and ``toyaml``, which escape it as JSON. ``~`` joins; ``indent``, ``nindent`` and ``trim``
move lines.

``Hidden`` is no text, so nothing takes it for some by accident; text that a macro, a ``set`` block or a filter block
makes becomes ``Hidden`` again when a placeholder is in it (``concat``). A placeholder that was put together from other
text is found out at the end: only those that ``secret`` gave out may be there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn

import jinja2.tests

from fleetctl.model import codes, placeholders, problems, secretrefs, values
from fleetctl.reading import scalars

__all__ = [
    "TESTS",
    "Calls",
    "Hidden",
    "Misuse",
    "checked",
    "concat",
    "encoded",
    "forged",
    "hidden_in",
    "holds",
    "is_forged",
    "moved",
    "quoted",
    "refers",
]

_ROOTS = ("site", "values", "vars")
_FORGED = 'text that looks like the placeholder of a secret; only secret("NAME") may make one'
_WHY = "its value is not known when templates are rendered"


class Misuse(Exception):
    """A template does with a secret what cannot be done; the message says what to do instead."""


class Hidden:
    """Text with placeholders in it. It can be printed and joined; everything else raises ``Misuse``."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def written(self) -> str:
        """Return the text, to be put into output as it is."""
        return self._text

    def reference(self, form: placeholders.Form = "secret") -> secretrefs.Reference | None:
        """Return the reference of the one placeholder that this is, None when there is more, or another form."""
        match = placeholders.PATTERN.fullmatch(self._text)
        return next(placeholders.found(self._text)).reference if match and match[1] == form else None

    def __repr__(self) -> str:
        return "a secret"

    def __add__(self, other: object) -> Hidden:
        return Hidden(self._text + _joined(other))

    def __radd__(self, other: object) -> Hidden:
        return Hidden(_joined(other) + self._text)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise Misuse(f"a secret has no .{name}: {_WHY}")


def _refusing(what: str) -> Callable[..., NoReturn]:
    def refuse(*_: object) -> NoReturn:
        raise Misuse(f"a secret cannot be {what}: {_WHY}")

    return refuse


for _what, _names in {
    "compared or used as a key": "eq ne lt le gt ge hash contains",
    "used as a condition": "bool",
    "measured, sliced or looped over": "len getitem iter reversed",
    "used as a number": "int float index abs round neg mul rmul truediv floordiv pow sub rsub",
    "formatted; join it with ~": "str format mod rmod",
}.items():
    for _name in _names.split():
        setattr(Hidden, f"__{_name}__", _refusing(_what))


class Calls:
    """``secret`` of one site's context: calling it looks a name up; it knows what it gave out."""

    def __init__(self, context: Mapping[str, values.Value]) -> None:
        self._context = context
        self._given: set[secretrefs.Reference] = set()

    def __call__(self, name: object) -> Hidden:
        """Return the secret at a name, such as ``db.password``."""
        return self._made(name, "secret")

    def hash(self, name: object) -> Hidden:
        """Return what changes whenever the secret does."""
        return self._made(name, "hash")

    def knows(self, reference: secretrefs.Reference) -> bool:
        """Tell whether a secret was given out."""
        return reference in self._given

    def _made(self, name: object, form: placeholders.Form) -> Hidden:
        call = "secret" if form == "secret" else "secret_hash"
        if not isinstance(name, str) or not name:
            raise Misuse(f'{call} takes the name of a secret, such as {call}("db.password")')
        reference = self._reference(name, call)
        self._given.add(reference)
        return Hidden(placeholders.text(reference, form))

    def _reference(self, name: str, call: str) -> secretrefs.Reference:
        try:
            field = problems.parse_field(name)
        except ValueError:
            raise Misuse(f'{call}("{name}"): the name is not a path such as db.password') from None
        if field[0] not in _ROOTS:
            field = ("values", *field)
        value: Any = self._context
        for depth, step in enumerate(field):
            inner = problems.value_at(value, (step,))
            if inner is problems.NOTHING:
                near = scalars.did_you_mean(str(step), [*map(str, value)]) if isinstance(value, dict) else ""
                shown = problems.field_text(field[: depth + 1])
                raise Misuse(f'{call}("{name}"): there is no {shown}{near}')
            value = inner
        if not secretrefs.is_reference(value):
            what = "a map" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a plain value"
            raise Misuse(f'{call}("{name}"): {problems.field_text(field)} is {what}, not a reference (secretRef)')
        try:
            return secretrefs.of(value)
        except ValueError as error:
            raise Misuse(f'{call}("{name}"): {error}') from None


def checked(made: object, context: Mapping[str, object]) -> str:
    """Return output as text; raises ``Misuse`` for a placeholder that ``secret`` did not give out."""
    if not isinstance(made, Hidden):
        return str(made)
    calls = context.get("secret")
    text = made.written()
    if any(not isinstance(calls, Calls) or not calls.knows(one.reference) for one in placeholders.found(text)):
        raise Misuse(_FORGED)
    return text


def forged(text: str, path: str) -> Iterator[problems.Problem]:
    """Find placeholders in a file that is no template: nothing there may name a secret."""
    for number, line in enumerate(text.split("\n") if placeholders.MARK in text else (), start=1):
        if placeholders.MARK in line:
            yield problems.Problem(codes.Code.TEMPLATE_SECRET, _FORGED, problems.Mark(path, number))


def is_forged(text: str) -> bool:
    """Tell whether a text that no template of ours made holds placeholders."""
    return placeholders.MARK in text


def _asked_of_text(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def tested(value: object) -> bool:
        if isinstance(value, Hidden):
            raise Misuse(f"a secret cannot be tested: {_WHY}")
        return test(value)

    return tested


TESTS: Final = {
    "sequence": _asked_of_text(jinja2.tests.test_sequence),
    "string": _asked_of_text(jinja2.tests.test_string),
}
"""Tests of Jinja that would say of a secret that it is no text."""


def concat(pieces: Iterable[str]) -> Any:  # noqa: ANN401  # text for Jinja, or Hidden
    """Join output; text with placeholders does not become plain text."""
    whole = list(pieces)
    try:
        text = "".join(whole)
    except TypeError:  # a filter block puts what its filter gives into output as it is
        text = "".join(map(_joined, whole))
    return Hidden(text) if placeholders.MARK in text else text


def encoded(hidden: Hidden) -> Hidden:
    """Do ``b64enc`` when the value is there; only a whole value can wait for that."""
    reference = hidden.reference()
    if reference is None:
        raise Misuse("b64enc takes a whole secret, not text with one in it; write the text under stringData")
    return Hidden(placeholders.text(reference, "base64"))


def quoted(hidden: Hidden) -> Hidden:
    """Do what ``k`` and ``quote`` do; only a whole value can be escaped later."""
    return Hidden(f'"{_escaped(hidden)}"')


def hidden_in(style: Callable[[object], str], value: object) -> Hidden:
    """Write data with secrets in it; each stands between quotes, in whatever style."""
    made = style(_with_placeholders(value))
    return Hidden(re.sub(rf'(?<!"){placeholders.PATTERN.pattern}(?!")', lambda match: f'"{match[0]}"', made))


def holds(value: object) -> bool:
    """Tell whether data holds secrets."""
    if isinstance(value, dict):
        return any(holds(inner) for inner in value.values())
    return any(holds(inner) for inner in value) if isinstance(value, list | tuple) else isinstance(value, Hidden)


def refers(value: object) -> bool:
    """Tell whether data holds references to secrets as the inventory writes them."""
    if isinstance(value, dict):
        return secretrefs.is_reference(value) or any(refers(inner) for inner in value.values())
    return isinstance(value, list | tuple) and any(refers(inner) for inner in value)


def moved(change: Callable[[str], str], hidden: Hidden) -> Hidden:
    """Indent or trim; a placeholder is one word of one line, and stays it."""
    return Hidden(change(hidden.written()))


def _with_placeholders(value: object) -> object:
    if isinstance(value, Hidden):
        return _escaped(value)
    if isinstance(value, dict):
        return {key: _with_placeholders(inner) for key, inner in value.items()}
    return [_with_placeholders(inner) for inner in value] if isinstance(value, list | tuple) else value


def _escaped(hidden: Hidden) -> str:
    """Return a placeholder that may stand between quotes; base64 and hashes need no escapes."""
    reference = hidden.reference()
    if reference is not None:
        return placeholders.text(reference, "json")
    if hidden.reference("base64") or hidden.reference("hash"):
        return hidden.written()
    raise Misuse("text with a secret in it cannot be quoted; write it as it is, in a block scalar (key: |)")


def _joined(value: object) -> str:
    if isinstance(value, Hidden):
        return value.written()
    if isinstance(value, str):
        return value
    raise Misuse("a secret is joined with text; use ~, which takes numbers too")
