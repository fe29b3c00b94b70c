"""What rendered text amounts to: cut, read and checked once for all sites that share it.

Equal text is read once. So is text that differs between sites in nothing but the name of its site, which a label, a
host name or a file's content may carry: the name is replaced by a stand-in, the strict reader reads and checks that,
and the result with the name put back is the object of every such site. This is not a second reader. It never finds
fault: whatever the strict reader refuses, and whatever does not meet the conditions below, is read strictly as it is.

Why the result is the same as that of reading the site's own text:

1. Name and stand-in are DNS labels of equal length, so no line, column, indentation or size differs.
2. Inside a label, YAML tells one letter, digit or dash from another in few places only: escapes in double quotes, the
   header of a block scalar, directives, tags. A stand-in begins with ``z``, which is wrong in the first three, and an
   unknown tag is refused. So text that the strict reader takes with the stand-in has the same structure with the name.
3. What an unquoted word means depends on its letters (``12e3``); with the name each must still be plain text.
4. Keys keep their order and their meaning, and ``apiVersion`` and ``kind`` theirs: a stand-in there is not shared.
5. What is checked of an object beyond that is the length of text, the characters that a name may hold, and whether two
   strings are equal. Putting the stand-in back must give the very bytes that were read, so that different strings stay
   different. A check that asks for more must be made for the site itself.

A test holds this against the strict reader for any text that hypothesis can think of.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fleetctl.model import labels, objects, releases, values
from fleetctl.reading import scalars
from fleetctl.rendering import bundles, documents

__all__ = ["SHORTEST", "Output", "Reader"]

Output = list[tuple[documents.Piece, documents.Parsed]]
"""The documents of one text in order."""

SHORTEST = 4
"""Letters of a name that is looked for; shorter ones stand everywhere by chance."""


class _Shape(msgspec.Struct, frozen=True):
    """A text with a stand-in, read; ``words`` are the strings that hold it. No ``output`` where it is not shared."""

    output: Output | None
    words: tuple[str, ...] = ()


class Reader:
    """Reads what the templates of one bundle make."""

    def __init__(self, bundle: bundles.Bundle) -> None:
        self._parser = documents.Parser(bundle)
        self._known: dict[tuple[str, str], Output] = {}
        self._shapes: dict[tuple[str, str], _Shape] = {}

    def read(self, source: bundles.Source, text: str, site: str) -> Output:
        """Return the documents of what a source amounts to at a site."""
        if site not in text:
            key = (source.name, text)
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = self._strictly(source, text)
            return known
        return self._shared(source, text, site) or self._strictly(source, text)

    def _strictly(self, source: bundles.Source, text: str) -> Output:
        pieces = documents.split(text, source.first_line)
        return [(piece, self._parser.parse(piece, source.path)) for piece in pieces]

    def _shared(self, source: bundles.Source, text: str, site: str) -> Output | None:
        """Return the documents of a text in which the site's name stands; None where it must be read by itself."""
        stand_in = _stand_in(site)
        if not stand_in or stand_in in text:
            return None
        key = (source.name, text.replace(site, stand_in))
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._shapes[key] = _learnt(self._strictly(source, key[1]), stand_in)
        if shape.output is None or not all(scalars.is_plain_text(word.replace(stand_in, site)) for word in shape.words):
            return None
        made: Output = []
        for piece, parsed in shape.output:
            own = _put_back(parsed, stand_in, site)
            if own is None:
                return None
            made.append((msgspec.structs.replace(piece, text=piece.text.replace(stand_in, site)), own))
        return made


def _stand_in(site: str) -> str:
    """Return what stands for a name: as long, a DNS label, and never overlapping itself, as ``z`` only begins it."""
    if len(site) < SHORTEST or labels.dns_label_fault(site):
        return ""
    return f"z{'x' * (len(site) - 2)}w"


def _learnt(output: Output, stand_in: str) -> _Shape:
    words: set[str] = set()
    for _, parsed in output:
        if parsed.made is None:
            return _Shape(None)
        data = msgspec.json.decode(parsed.made.body)
        if stand_in in data["apiVersion"] or stand_in in data["kind"]:
            return _Shape(None)
        for text, is_key in _strings(data):
            if stand_in in text:
                if is_key:
                    return _Shape(None)
                words.add(text)
    return _Shape(output, tuple(sorted(words)))


def _strings(value: values.Value) -> Iterator[tuple[str, bool]]:
    """Walk over all text in a value, and tell keys from the rest."""
    if isinstance(value, str):
        yield value, False
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key, True
            yield from _strings(inner)


def _put_back(parsed: documents.Parsed, stand_in: str, site: str) -> documents.Parsed | None:
    """Return an object with the site's name in it; None where that could not be undone."""
    one = parsed.made
    if one is None:
        return None
    old, new = stand_in.encode(), site.encode()
    body = one.body.replace(old, new)
    if body.replace(new, old) != one.body:
        return None
    if body == one.body:
        return parsed
    known = one.id
    namespace, name = known.namespace.replace(stand_in, site), known.name.replace(stand_in, site)
    identity = objects.ObjectId(known.group, known.kind, namespace, name)
    return documents.Parsed(releases.RenderedObject(identity, body, one.template))
