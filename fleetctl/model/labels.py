"""The syntax of Kubernetes names, label keys and label values.

Source: kubernetes.io/docs/concepts/overview/working-with-objects/{names,labels}, apimachinery ``validation``.
Each check returns what is wrong as a phrase that follows «"x" », or "" when nothing is.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final

__all__ = ["RESERVED", "as_dns_label", "as_value", "dns_label_fault", "key_fault", "subdomain_fault", "value_fault"]

RESERVED = ("state", "distribution")
"""Label keys that every site has built in; people cannot set them."""

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LETTERS: Final = str.maketrans(
    {"Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "Ø": "O", "ø": "o", "Đ": "D", "đ": "d"}
    | {"Ł": "L", "ł": "l", "ß": "ss", "ẞ": "SS", "Þ": "TH", "þ": "th", "Ð": "D", "ð": "d", "ŋ": "n"}
)
"""Latin letters that Unicode does not take apart into a plain one and a mark."""


def dns_label_fault(text: str) -> str:
    """Check a DNS-1123 label: at most 63 of ``a-z 0-9 -``, with a letter or digit at both ends."""
    if len(text) > 63:
        return "is longer than 63 characters"
    if not _DNS_LABEL.fullmatch(text):
        return 'is not a DNS-1123 label (lower case letters, digits and "-", a letter or digit at both ends)'
    return ""


def subdomain_fault(text: str) -> str:
    """Check a DNS-1123 subdomain: at most 253 characters, labels joined by dots."""
    if len(text) > 253:
        return "is longer than 253 characters"
    if not _SUBDOMAIN.fullmatch(text):
        return 'is not a DNS-1123 name (lower case letters, digits, "-" and ".")'
    return ""


def key_fault(text: str) -> str:
    """Check a label key: an optional DNS-1123 prefix and ``/``, then at most 63 characters."""
    prefix, slash, name = text.rpartition("/")
    if slash and (fault := subdomain_fault(prefix)):
        return f"has the prefix {prefix!r}, which {fault}"
    return _name_fault(name)


def value_fault(text: str) -> str:
    """Check a label value: empty, or at most 63 characters of the same kind as a key's name."""
    return _name_fault(text) if text else ""


@functools.lru_cache(maxsize=2**14)  # a fleet has few labels, many times
def _name_fault(text: str) -> str:
    if len(text) > 63:
        return "is longer than 63 characters"
    if not _QUALIFIED.fullmatch(text):
        return 'is not label text (letters, digits, "-", "_" and ".", a letter or digit at both ends)'
    return ""


def as_dns_label(text: str) -> str:
    """Write text as a DNS-1123 label would have it: ``Tromsø 1`` as ``tromso-1``.

    Marks come off letters, letters become small, each run of anything but ``a-z 0-9`` becomes one ``-``, and none is
    left at the ends. Nothing is cut: what comes out can be empty or too long, as ``dns_label_fault`` then says.
    """
    return re.sub(r"[^a-z0-9]+", "-", _plain(text).lower()).strip("-")


def as_value(text: str) -> str:
    """Write text as a label value, or the name in a label key: ``Møre og Romsdal`` as ``More-og-Romsdal``.

    Marks come off letters, each run of what a label cannot hold becomes one ``-``, at most 63 characters stay, and what
    is not a letter or digit goes from both ends.
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", _plain(text)).strip("-_.")[:63].rstrip("-_.")


def _plain(text: str) -> str:
    """Return text without the marks of its letters."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign))
