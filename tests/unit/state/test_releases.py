"""Releases in the journal."""

import pathlib

from fleetctl.model import objects, releases
from fleetctl.state import databases
from fleetctl.state import releases as stored


def _release(digest: str, *bodies: bytes) -> releases.Release:
    parts = tuple(
        releases.RenderedObject(objects.ObjectId("apps", "Deployment", "pos", f"d{number}"), body, "deploy.yaml")
        for number, body in enumerate(bodies)
    )
    return releases.Release("store-1", "pos", "1.0.0", digest, parts)


def test_a_release_comes_back_whole(tmp_path: pathlib.Path) -> None:
    """Objects in their order, with the templates that made them."""
    with databases.open_store(tmp_path / "state.db") as store:
        release = _release("r1:a", b'{"a":1}', b'{"b":2}')
        store.write_now(lambda conn: stored.put(conn, release))
        assert store.read(lambda conn: stored.get(conn, "r1:a")) == release
        assert store.read(lambda conn: stored.get(conn, "r1:b")) is None


def test_shared_objects_are_stored_once(tmp_path: pathlib.Path) -> None:
    """A thousand sites that differ in one object cost one object each; an equal release costs nothing."""
    with databases.open_store(tmp_path / "state.db") as store:
        for digest, body in (("r1:a", b'{"site":"a"}'), ("r1:b", b'{"site":"b"}'), ("r1:a", b'{"site":"a"}')):
            release = _release(digest, b'{"same":1}', body)
            store.write_now(lambda conn, one=release: stored.put(conn, one))  # type: ignore[misc]
        count = store.read(lambda conn: conn.execute("SELECT count(*) FROM blobs").fetchone()[0])
        assert count == 1 + 2 + 2  # the shared object, two of their own, two lists
