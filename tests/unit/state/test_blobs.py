"""Content by its hash."""

import functools
import pathlib
import zlib

import hypothesis
import hypothesis.strategies as st
import pytest

from fleetctl.model import codes, errors
from fleetctl.state import blobs, databases


@hypothesis.settings(max_examples=20)
@hypothesis.given(contents=st.lists(st.binary(max_size=4096), max_size=8))
def test_what_was_put_is_what_is_got(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]) -> None:
    """Any bytes come back as they were; equal ones are stored once."""
    with databases.open_store(tmp_path_factory.mktemp("blobs") / "state.db") as store:
        digests = [store.write_now(functools.partial(blobs.put, data=data)) for data in contents]
        for digest, data in zip(digests, contents, strict=True):
            assert store.read(functools.partial(blobs.get, digest=digest)) == data
        count = store.read(lambda conn: conn.execute("SELECT count(*) FROM blobs").fetchone()[0])
        assert count == len(set(contents))


_WRONG = {
    "empty": b"",
    "garbage": b"\0",
    "another": zlib.compress(b"another text"),
    "cut": zlib.compress(b"text")[:-6],
    "longer": zlib.compress(b"text" * 1000),
}


@pytest.mark.parametrize("data", _WRONG.values(), ids=_WRONG)
def test_content_that_is_not_what_its_digest_says(tmp_path: pathlib.Path, data: bytes) -> None:
    """Damaged, cut short or exchanged: refused, never handed out."""
    with databases.open_store(tmp_path / "state.db") as store:
        digest = store.write_now(lambda conn: blobs.put(conn, b"text"))
        store.write_now(lambda conn: conn.execute("UPDATE blobs SET data = ?", (data,)).rowcount)
        with pytest.raises(errors.Refused, match="damaged") as refused:
            store.read(lambda conn: blobs.get(conn, digest))
        assert refused.value.code is codes.Code.STATE_DAMAGED


def test_content_that_is_missing(tmp_path: pathlib.Path) -> None:
    """A digest that leads nowhere is refused."""
    with (
        databases.open_store(tmp_path / "state.db") as store,
        pytest.raises(errors.Refused, match="missing"),
    ):
        store.read(lambda conn: blobs.get(conn, "b1:none"))
