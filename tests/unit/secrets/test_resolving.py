"""References to values: asked once, failures folded, nothing kept after the end."""

import contextlib
import pathlib

import pytest

from fleetctl.model import codes, errors, objects, placeholders, problems, releases, secretrefs
from fleetctl.secrets import masking, providers, resolving
from tests.unit.secrets import keepers

A, B = secretrefs.Reference("store", "a"), secretrefs.Reference("store", "b")
MARK = problems.Mark("inventory/sites.yaml", 3, 9)


class _Store:
    """A provider that counts how often it is asked."""

    def __init__(self, kept: dict[str, bytes], fault: providers.Fault | None = None) -> None:
        self.kept = kept
        self.fault = fault
        self.asked: list[secretrefs.Key] = []
        self.closed = False

    def fetch(self, key: secretrefs.Key, stack: contextlib.ExitStack) -> masking.Secret:
        """Return what is kept."""
        if not self.asked:
            stack.callback(self._close)
        self.asked.append(key)
        if self.fault:
            raise self.fault
        if key not in self.kept:
            raise providers.Fault(codes.Code.SECRET_NOT_FOUND, f"there is no {key}")
        return masking.Secret(self.kept[str(key)])

    def _close(self) -> None:
        self.closed = True


def test_each_reference_is_asked_once() -> None:
    """However many sites and calls need it; what a provider opened is closed at the end."""
    store = _Store({"a": b"1"})
    with resolving.Resolver({"store": store}) as resolver:
        found = resolver.resolve([resolving.Need(A, ("s1", "s2"))])
        assert found[A].reveal() == b"1"
        assert resolver.one(A) == found[A]
        for _ in range(2):
            with pytest.raises(providers.Fault):
                resolver.one(B)
    assert store.asked == ["a", "b"]
    assert store.closed


def test_one_missing_secret_is_one_error() -> None:
    """A thousand sites that need it are a number in it; the place in the inventory is named."""
    sites = tuple(f"s{number:04}" for number in range(1000))
    with resolving.Resolver({"store": _Store({"a": b"1"})}) as resolver, pytest.raises(errors.Unresolved) as caught:
        resolver.resolve([resolving.Need(A, sites), resolving.Need(B, sites, MARK)])
    (problem,) = caught.value.problems
    assert problem == problems.Problem(
        codes.Code.SECRET_NOT_FOUND,
        "the secret store b: there is no b",
        MARK,
        (),
        ("at 1,000 sites, e.g. s0000",),
    )
    assert caught.value.exit == 8


def test_a_store_that_is_down_is_asked_once() -> None:
    """And told once, for all its secrets."""
    store = _Store({}, providers.Fault(codes.Code.SECRET_UNAVAILABLE, "sealed", whole=True))
    with resolving.Resolver({"store": store}) as resolver, pytest.raises(errors.Unresolved) as caught:
        resolver.resolve([resolving.Need(A, ("s1",)), resolving.Need(B, ("s2", "s1"))])
    (problem,) = caught.value.problems
    assert (problem.message, problem.notes) == (
        "2 secrets of provider store: sealed",
        ("at 2 sites, e.g. s1",),
    )
    assert store.asked == ["a"]


def test_all_causes_are_told_at_once() -> None:
    """A missing secret, another one, and a provider that does not exist."""
    stranger = secretrefs.Reference("cloud", "a")
    with resolving.Resolver({"store": _Store({})}) as resolver, pytest.raises(errors.Unresolved) as caught:
        resolver.resolve([resolving.Need(one) for one in (B, A, stranger)])
    assert [problem.message for problem in caught.value.problems] == [
        'the secret cloud a: there is no provider "cloud"',
        "the secret store a: there is no a",
        "the secret store b: there is no b",
    ]


def test_what_releases_need() -> None:
    """Placeholders say it, whichever form they have."""
    texts = {"s1": placeholders.text(A) + placeholders.text(B, "hash"), "s2": placeholders.text(A, "base64"), "s3": "-"}
    made = [
        releases.Release(
            site, "b", "1", "", (releases.RenderedObject(objects.ObjectId("", "Secret", "n", "x"), text.encode(), "t"),)
        )
        for site, text in texts.items()
    ]
    assert resolving.needs_of(made) == [resolving.Need(A, ("s1", "s2")), resolving.Need(B, ("s1",))]


def test_every_provider_is_there(tmp_path: pathlib.Path) -> None:
    """What a reference may name is what fleetctl comes with."""
    assert tuple(resolving.shipped(keepers.around(tmp_path))) == secretrefs.PROVIDERS
