"""The syntax of Kubernetes names, label keys and label values.

Source: kubernetes.io/docs/concepts/overview/working-with-objects/{names,labels}, apimachinery ``validation``.
Each check returns what is wrong as a phrase that follows «"x" », or "" when nothing is.
"""

from __future__ import annotations

import functools
import re

__all__ = ["RESERVED", "dns_label_fault", "key_fault", "subdomain_fault", "value_fault"]

RESERVED = ("state", "distribution")
"""Label keys that every site has built in; people cannot set them."""

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


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
