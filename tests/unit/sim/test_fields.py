"""Sets of fields, as they are written and named."""

from hypothesis import given
from hypothesis import strategies as st

from fleetctl.sim import fields

_STEPS = st.sampled_from(["f:a", "f:b", "f:c.d", 'k:{"name":"x"}', 'v:"y"'])
_PATHS = st.sets(st.lists(_STEPS, min_size=1, max_size=4).map(tuple), max_size=12)


@given(_PATHS)
def test_a_set_survives_being_written(members: set[fields.Path]) -> None:
    """What is written is read back, also where a field and one below it are both in the set."""
    assert set(fields.paths(fields.tree(members))) == members


@given(_PATHS)
def test_order_is_level_by_level(members: set[fields.Path]) -> None:
    """Everything is listed once, and a field before all that is below it."""
    order = fields.ordered(members)
    assert sorted(order) == sorted(members)
    assert all(path[:end] not in order[at:] for at, path in enumerate(order) for end in range(1, len(path)))


def test_written_as_a_server_does() -> None:
    """A dot stands for the field itself only where fields below it are in the set."""
    item = ("f:env", 'k:{"name":"A"}')
    assert fields.tree({item, (*item, "f:value")}) == {"f:env": {'k:{"name":"A"}': {".": {}, "f:value": {}}}}
    assert fields.tree({("f:emptyDir",)}) == {"f:emptyDir": {}}


def test_shown_as_conflicts_do() -> None:
    """Keys show with their values as JSON."""
    path = ("f:spec", "f:ports", 'k:{"port":80,"protocol":"TCP"}', "f:name")
    assert fields.shown(path) == '.spec.ports[port=80,protocol="TCP"].name'
    assert fields.shown(("f:finalizers", 'v:"a/b"')) == '.finalizers[="a/b"]'
