"""The apply order and the digest of a release."""

import itertools
import os
import subprocess
import sys

from fleetctl.model import objects, releases

IDS = [
    objects.ObjectId("", "Namespace", "", "pos"),
    objects.ObjectId("", "ConfigMap", "a", "settings"),
    objects.ObjectId("", "ConfigMap", "b", "settings"),
    objects.ObjectId("", "Service", "a", "gateway"),
    objects.ObjectId("apps", "Deployment", "a", "gateway"),
]
"""In apply order."""

BARE = "r1:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of nothing."""


def _made(identity: objects.ObjectId, **more: int) -> releases.RenderedObject:
    body = objects.canonical({"kind": identity.kind, "name": identity.name, "spec": {**more}})
    return releases.RenderedObject(identity, body, "templates/pos/all.yaml.j2")


def test_apply_order_does_not_depend_on_files() -> None:
    """Whatever order templates give, objects stand by rank, then identity."""
    for shuffled in itertools.permutations(IDS):
        ordered = releases.in_apply_order(map(_made, shuffled))
        assert [one.id for one in ordered] == IDS


def test_digest_is_pinned() -> None:
    """A digest means the same for ever: stored ones are compared with new ones."""
    assert releases.digest([]) == BARE
    assert releases.digest(map(_made, IDS[:2])) == (
        "r1:cff73ef75395663d93927a59c425427830f1a84841f6188a1bf4958a45ca485a"
    )


def test_digest_covers_content_and_order_only() -> None:
    """One value more or another order changes the digest; the template's path does not."""
    made = [_made(identity, a=1, b=2) for identity in IDS]
    digests = {
        releases.digest(made),
        releases.digest(made[:-1]),
        releases.digest([*made, made[-1]]),
        releases.digest(reversed(made)),
        releases.digest([_made(identity, a=1, b=3) for identity in IDS]),
    }
    assert len(digests) == 5
    moved = [releases.RenderedObject(one.id, one.body, "elsewhere") for one in made]
    assert releases.digest(moved) == releases.digest([_made(identity, b=2, a=1) for identity in IDS])


def test_two_objects_are_not_one() -> None:
    """Objects are kept apart: the bytes of two never read as the bytes of one."""
    one, two = (releases.RenderedObject(IDS[0], body, "") for body in (b'{"a":1}{"b":2}', b'{"a":1}'))
    rest = releases.RenderedObject(IDS[0], b'{"b":2}', "")
    assert releases.digest([one]) != releases.digest([two, rest])


SCRIPT = """
from fleetctl.model import objects, releases
names = {"a", "b", "c", "d", "e", "f", "g"}  # a set's order follows the hash seed
made = [
    releases.RenderedObject(
        objects.ObjectId("", "ConfigMap", "x", name),
        objects.canonical({"name": name, "data": {key: key for key in names}}),
        "t",
    )
    for name in names
]
print(releases.digest(releases.in_apply_order(made)))
"""


def test_digest_does_not_depend_on_hashing() -> None:
    """Three processes that hash differently agree."""
    path = os.pathsep.join(sys.path)
    said = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": path},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4294967295")
    }
    assert len(said) == 1
    assert said.pop().startswith("r1:")
