"""Ranges of Kubernetes versions, and which versions of sites are in them."""

import pytest

from fleetctl.model import versions


@pytest.mark.parametrize(
    ("text", "version", "takes"),
    [
        (">=1.30 <1.37", "v1.36.3+k3s1", True),
        (">=1.30 <1.37", "1.30", True),
        (">=1.30 <1.37", "v1.29.9", False),
        (">=1.30 <1.37", "v1.37.0", False),
        (">=1.30 <1.37", "1.36/stable", True),
        (">=1.30 <1.37", "1.37/edge", False),
        ("<=1.36", "v1.36.9", True),
        ("<=1.36", "v1.37.0", False),
        (">1.30", "v1.30.9", False),
        (">1.30", "v1.31.0", True),
        ("=1.36", "v1.36.2", True),
        (">=1.30.2", "v1.30.1", False),
        (">=1.30.2", "1.30/stable", True),
        (">1.30.2", "1.30", True),
        ("<1.30.2", "1.30", True),
        (">=1.30.2", "1.29/stable", False),
        (">=1.9", "v1.10.0", True),
        (">=1.30", "latest", True),
        (">=1.30", "v1.30.0-rc.1", True),
    ],
)
def test_takes(text: str, version: str, *, takes: bool) -> None:
    """Compared as far as both sides go; numbers are numbers."""
    assert versions.parse(text).takes(version) is takes


@pytest.mark.parametrize(
    "text", ["", "1.30", ">= 1.30", ">=1", ">=1.30,<1.37", "^1.30", ">=v1.30", ">=1.30  <1.31", "*"]
)
def test_what_is_no_range(text: str) -> None:
    """Is said to be none, with an example."""
    with pytest.raises(versions.RangeError, match="is no range"):
        versions.parse(text)


@pytest.mark.parametrize("text", [">=1.37 <1.30", ">1.30 <1.31", "=1.30 =1.31", "<0.0"])
def test_what_nothing_is_in(text: str) -> None:
    """A range that no version meets is a mistake."""
    with pytest.raises(versions.RangeError, match="no version"):
        versions.parse(text)
