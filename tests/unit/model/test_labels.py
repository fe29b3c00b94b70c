"""The syntax of names, label keys and label values."""

import pytest

from fleetctl.model import labels

NOT_DNS = 'is not a DNS-1123 label (lower case letters, digits and "-", a letter or digit at both ends)'
NOT_NAME = 'is not a DNS-1123 name (lower case letters, digits, "-" and ".")'
NOT_LABEL = 'is not label text (letters, digits, "-", "_" and ".", a letter or digit at both ends)'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a", ""),
        ("0", ""),
        ("store-00412", ""),
        ("a--b", ""),
        ("x" * 63, ""),
        ("x" * 64, "is longer than 63 characters"),
        ("", NOT_DNS),
        ("-a", NOT_DNS),
        ("a-", NOT_DNS),
        ("A", NOT_DNS),
        ("a.b", NOT_DNS),
        ("a_b", NOT_DNS),
        ("a\n", NOT_DNS),
        ("\u00e5", NOT_DNS),
        ("\u0661", NOT_DNS),
    ],
)
def test_dns_labels(text: str, fault: str) -> None:
    """Sites, nodes, groups and bundles are named by DNS-1123 labels; a line feed at the end does not slip through."""
    assert labels.dns_label_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a", ""),
        ("a.b-c.d", ""),
        ("a" * 253, ""),
        ("a" * 254, "is longer than 253 characters"),
        ("", NOT_NAME),
        ("a..b", NOT_NAME),
        (".a", NOT_NAME),
        ("a.", NOT_NAME),
        ("a.-b", NOT_NAME),
        ("a.B", NOT_NAME),
        ("a/b", NOT_NAME),
    ],
)
def test_subdomains(text: str, fault: str) -> None:
    """A DNS-1123 subdomain is DNS labels joined by dots, and its labels may be of any length."""
    assert labels.subdomain_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("env", ""),
        ("A_b.c-1", ""),
        ("app.kubernetes.io/name", ""),
        ("p.q/" + "x" * 63, ""),
        ("x" * 64, "is longer than 63 characters"),
        ("", NOT_LABEL),
        ("p.q/", NOT_LABEL),
        ("_a", NOT_LABEL),
        ("a.", NOT_LABEL),
        ("/a", f"has the prefix '', which {NOT_NAME}"),
        ("P/a", f"has the prefix 'P', which {NOT_NAME}"),
        ("a/b/c", f"has the prefix 'a/b', which {NOT_NAME}"),
        ("a" * 254 + "/b", f"has the prefix '{'a' * 254}', which is longer than 253 characters"),
    ],
)
def test_keys(text: str, fault: str) -> None:
    """A label key is a name, optionally below a DNS prefix; the fault names the half that is wrong."""
    assert labels.key_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", ""),
        ("NO", ""),
        ("1.10", ""),
        ("x" * 63, ""),
        ("x" * 64, "is longer than 63 characters"),
        ("a b", NOT_LABEL),
        ("a/b", NOT_LABEL),
        ("-1", NOT_LABEL),
        ("a\n", NOT_LABEL),
    ],
)
def test_values(text: str, fault: str) -> None:
    """A label value may be empty, otherwise it is like a key's name."""
    assert labels.value_fault(text) == fault


def test_reserved() -> None:
    """The two labels that every site has built in are well-formed keys."""
    assert [labels.key_fault(key) for key in labels.RESERVED] == ["", ""]
