"""What every provider promises, held against all of them: the value, and faults that say nothing of it."""

import contextlib
import pathlib

import pytest

from fleetctl.model import codes
from fleetctl.secrets import masking, providers
from tests.unit.secrets import keepers

VALUES = [b"s3cret", "pässwörd".encode(), b" spaces at both ends ", b'quotes " and \\ and $(id)', b"two\nlines"]


@pytest.mark.parametrize("name", keepers.KEEPERS)
@pytest.mark.parametrize("value", VALUES)
def test_the_value_arrives(name: str, value: bytes, tmp_path: pathlib.Path) -> None:
    """A provider gives exactly what was kept, masked; asked again it gives the same."""
    with keepers.KEEPERS[name](tmp_path, value) as keeper, contextlib.ExitStack() as stack:
        found = keeper.provider.fetch(keeper.key, stack)
        assert found.reveal() == value
        assert keeper.provider.fetch(keeper.key, stack) == found
    assert f"{found} {found!r}" == f"{masking.SHOWN} {masking.SHOWN}"


@pytest.mark.parametrize("name", keepers.KEEPERS)
def test_what_is_not_there(name: str, tmp_path: pathlib.Path) -> None:
    """A key without a value is a fault of that key, named by it, and the provider goes on working."""
    with keepers.KEEPERS[name](tmp_path, b"s3cret") as keeper, contextlib.ExitStack() as stack:
        with pytest.raises(providers.Fault) as caught:
            keeper.provider.fetch(keeper.missing, stack)
        wanted = codes.Code.SECRET_UNAVAILABLE if name == "exec" else codes.Code.SECRET_NOT_FOUND
        assert (caught.value.code, caught.value.whole) == (wanted, False)
        assert keeper.provider.fetch(keeper.key, stack).reveal() == b"s3cret"


@pytest.mark.parametrize("name", keepers.KEEPERS)
def test_nothing_is_no_secret(name: str, tmp_path: pathlib.Path) -> None:
    """An empty value is refused: it is nearly always a mistake in the store."""
    with keepers.KEEPERS[name](tmp_path, b"") as keeper, contextlib.ExitStack() as stack:
        with pytest.raises(providers.Fault) as caught:
            keeper.provider.fetch(keeper.key, stack)
        assert caught.value.code is codes.Code.SECRET_BAD_VALUE
        assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", sorted(keepers.KEEPERS.keys() - {"env", "keyring"}))  # the system bounds variables
def test_what_is_too_large(name: str, tmp_path: pathlib.Path) -> None:
    """More than a Secret of Kubernetes takes is refused, and not quoted."""
    with keepers.KEEPERS[name](tmp_path, b"x" * (masking.MOST + 1)) as keeper, contextlib.ExitStack() as stack:
        with pytest.raises(providers.Fault) as caught:
            keeper.provider.fetch(keeper.key, stack)
        assert caught.value.code is codes.Code.SECRET_BAD_VALUE
        assert "xx" not in caught.value.message
