"""What text amounts to does not depend on whether it was shared: held against the strict reader, by any means."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleetctl.rendering import documents, outputs
from tests.unit.rendering import making

BUNDLE = making.bundle({})
SOURCE = making.source("")
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: till, labels: {app: till, "store": a}}
spec:
  template:
    spec:
      containers:
      - name: a
        env: [{name: A, value: "x\\x41"}, {name: B, value: 'y'}]
        ports:
        - {containerPort: 8080, protocol: TCP}
      - name: b   # a comment
"""
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: &name config-till
  namespace: shop
  annotations: {of: *name, <<: {a: b}}
data:
  one: !!str 1
  two: |2-
     a: b
    c
  three: >
    folded text
    # no comment
  ? four
  : "a \\
    b"
  five: 10.0
  "six": plain text
    on two lines
...
"""
NAMESPACE = "%YAML 1.2\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n" + CONFIG
DNS_LABEL = st.from_regex(r"[a-z0-9][a-z0-9-]{2,8}[a-z0-9]", fullmatch=True)
NAMES = st.sampled_from(
    [
        *("space", "apps", "true", "null", "1e34", "0x1f", "1234", "2020-01-01", "config", "data", "abab", "zxxw"),
        *("store-1", "yaml", "list", "till", "name", "o123", "12345", "a--a", "deployment", "port"),
    ]
)


def _strictly(text: str) -> list[tuple[object, object]]:
    parser = documents.Parser(BUNDLE)
    parsed = [parser.parse(piece, SOURCE.path) for piece in documents.split(text)]
    return [(one.made, one.problems) for one in parsed]


def _read(reader: outputs.Reader, text: str, site: str) -> list[tuple[object, object]]:
    return [(one.made, one.problems) for _, one in reader.read(SOURCE, text, site)]


@st.composite
def _with_name(draw: st.DrawFn) -> tuple[str, str, str]:
    """Return two names of equal length and a text with places (zero characters) where a name stands."""
    one = draw(NAMES | DNS_LABEL)
    two = draw(st.from_regex(rf"[a-z0-9][a-z0-9-]{{{len(one) - 2}}}[a-z0-9]", fullmatch=True) | st.just(one[::-1]))
    text = draw(st.sampled_from([DEPLOYMENT, CONFIG, NAMESPACE]))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + "\0" + text[at + draw(st.sampled_from([0, 0, 1, 2, 5])) :]
    return one, two, text


@given(_with_name())
@example(("space", "store", "apiVersion: v1\nkind: Name\0\nmetadata: {name: a}\n"))
@example(("apps", "till", "apiVersion: \0/v1\nkind: Deployment\nmetadata: {name: a}\n"))
@example(("till", "1e34", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: \0}\n"))
@example(("abab", "baba", DEPLOYMENT.replace("name: A", "name: \0ab").replace("name: B", 'name: "\\x61b\0"')))
@example(("zzzz", "aaaa", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {aaab: v, \0: v}\n"))
@example(("zzzz", "aaaa", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {aaaa: v, \0: v}\n"))
def test_sharing_changes_nothing(given_: tuple[str, str, str]) -> None:
    """Whatever text a name stands in, and wherever: object and problems are those of reading the text by itself."""
    one, two, text = given_
    reader = outputs.Reader(BUNDLE)
    for site in (one, two, one):
        own = text.replace("\0", site)
        assert _read(reader, own, site) == _strictly(own)


@given(st.text(alphabet=string.ascii_lowercase[:3] + "-:\"'\\&*!%|#{}[], \n\0", max_size=60))
def test_sharing_changes_nothing_of_any_text(data: str) -> None:
    """The same with text that no template makes."""
    reader = outputs.Reader(BUNDLE)
    for site in ("abca", "cbba", "bbbb"):
        own = making.config_map("a", "x: y").removesuffix("\n") + data.replace("\0", site)
        assert _read(reader, own, site) == _strictly(own)


def test_text_that_differs_by_the_name_of_its_site_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand sites with their names in a label, a name and a text cost one reading."""
    text = making.config_map("of-\0", "host: \0.shop.example\nlog: |\n  --site=\0").replace("\0", "{}")
    read: list[str] = []
    parse = documents.Parser.parse

    def counted(parser: documents.Parser, piece: documents.Piece, path: str) -> documents.Parsed:
        read.append(piece.text)
        return parse(parser, piece, path)

    monkeypatch.setattr(documents.Parser, "parse", counted)
    reader = outputs.Reader(BUNDLE)
    names = [f"store-{number:04}" for number in range(1000)]
    made = [_read(reader, text.replace("{}", name), name)[0][0] for name in names]
    assert len(read) == 1
    assert made == [_strictly(text.replace("{}", name))[0][0] for name in names]


@pytest.mark.parametrize(
    ("site", "text"),
    [
        ("s1", making.config_map("a-s1")),  # short names stand everywhere by chance
        ("space", making.config_map("a").replace("ConfigMap", "Namespace")),  # a kind
        ("store", making.config_map("a", "store: x")),  # a key
        ("1e34", making.config_map("a", "x: '1e34'")),  # plain, this would be no text
        ("zxxxw", making.config_map("zxxxw")),  # the stand-in itself
        ("home", making.config_map("home")),  # the bundle's namespace is not in the text, and is in the object
    ],
)
def test_what_is_not_shared(site: str, text: str) -> None:
    """What does not meet a condition is read as it is."""
    assert outputs.Reader(BUNDLE)._shared(SOURCE, text, site) is None  # noqa: SLF001  # that it is read is seen above
    assert _read(outputs.Reader(BUNDLE), text, site) == _strictly(text)
