"""What a simulated cluster remembers for those who watch, and for how long."""

from fleetctl.sim import histories, kinds

MAPS = kinds.BY_KIND["", "ConfigMap"]


def _one(name: str = "a", **data: str) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "s"}, "data": data}


def test_nothing_is_kept_for_nobody() -> None:
    """Before the first watch nothing is written down: what came before is expired, unless there was nothing."""
    told = histories.Histories()
    told.note(MAPS, _one(), 5, 0.0)
    assert told.since(MAPS, 4, [_one()], 7, 1.0) is None
    assert told.since(MAPS, 5, [_one()], 7, 1.0) == []
    assert told.since(kinds.BY_KIND["", "Secret"], 1, [], 7, 1.0) == []


def test_each_change_is_kept_as_it_was() -> None:
    """Objects change in place; their history does not."""
    told, one = histories.Histories(), _one(a="1")
    assert told.since(MAPS, 5, [one], 5, 0.0) == []
    one["data"] = {"a": "2"}
    told.note(MAPS, one, 6, 1.0)
    told.note(MAPS, one, 7, 2.0, gone=True)
    changes = told.since(MAPS, 5, [], 7, 3.0)
    assert changes == [histories.Change(6, 1.0, _one(a="1"), _one(a="2")), histories.Change(7, 2.0, _one(a="2"), None)]
    assert told.since(MAPS, 6, [], 7, 3.0) == changes[1:]


def test_histories_end() -> None:
    """Changes are kept for five minutes and a thousand at most; who comes from before that is told so."""
    told = histories.Histories()
    told.since(MAPS, 0, [], 0, 0.0)
    told.listeners.add(lambda: None)
    told.note(MAPS, _one(), 1, 0.0)
    told.note(MAPS, _one(), 2, 301.0)
    assert told.since(MAPS, 0, [], 2, 301.0) is None
    assert [change.version for change in told.since(MAPS, 1, [], 2, 301.0) or ()] == [2]
    for version in range(3, 1004):
        told.note(MAPS, _one(), version, 302.0)
    assert told.since(MAPS, 2, [], 1003, 302.0) is None
    assert len(told.since(MAPS, 3, [], 1003, 302.0) or ()) == 1000


def test_a_kind_that_nobody_watches_any_more_is_forgotten() -> None:
    """Five minutes after the last question nothing is written down any more."""
    told = histories.Histories()
    told.since(MAPS, 0, [], 0, 0.0)
    told.note(MAPS, _one(), 1, 299.0)
    assert told.since(MAPS, 0, [], 1, 299.0)
    told.note(MAPS, _one(), 2, 600.0)
    assert told.since(MAPS, 1, [], 2, 600.0) is None


def test_listeners_hear_of_every_change() -> None:
    """Whatever is changed, whether its kind is watched or not; who has gone hears nothing."""
    told, heard = histories.Histories(), list[int]()

    def listen() -> None:
        heard.append(1)

    told.listeners.add(listen)
    told.note(MAPS, _one(), 1, 0.0)
    told.listeners.discard(listen)
    told.note(MAPS, _one(), 2, 0.0)
    assert heard == [1]
