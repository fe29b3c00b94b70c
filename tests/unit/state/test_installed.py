"""What sites are believed to run."""

import pathlib

from fleetctl.state import databases, installed


def test_the_last_note_counts(tmp_path: pathlib.Path) -> None:
    """A later release takes the place of the earlier; an identity that was not read this time is kept."""
    with databases.open_store(tmp_path / "state.db") as store:
        first = installed.Installed("r1:a", "r-1", "uid")
        store.write_now(lambda conn: installed.put(conn, "s", "pos", first, 1.0))
        store.write_now(lambda conn: installed.put(conn, "s", "pos", installed.Installed("r1:b", "r-2", None), 2.0))
        assert store.read(lambda conn: installed.get(conn, "s", "pos")) == installed.Installed("r1:b", "r-2", "uid")


def test_sites_and_bundles_have_their_own(tmp_path: pathlib.Path) -> None:
    """Taking one bundle off a site leaves the others."""
    with databases.open_store(tmp_path / "state.db") as store:
        found = installed.Installed("r1:a", "r-1", None)
        for bundle in ("pos", "agent"):
            store.write_now(lambda conn, name=bundle: installed.put(conn, "s", name, found, 1.0))  # type: ignore[misc]
        store.write_now(lambda conn: installed.take_away(conn, "s", "pos"))
        assert store.read(lambda conn: installed.get(conn, "s", "pos")) is None
        assert store.read(lambda conn: installed.get(conn, "s", "agent")) == found
