"""Custom resources against what clusters serve: who is asked, what is told, and what is not believed."""

import asyncio
import hashlib
import json
import pathlib
from typing import Any, Self

import pytest

from fleetctl.kube import answers, transport
from fleetctl.model import errors, objects, releases, sites
from fleetctl.openapi import learned
from fleetctl.rollout import learning, planning

KEY = "shop.example/v1", "Till"
UNCHECKED = (releases.Unchecked(*KEY, 1, 1, "s1"),)
PATH = "/openapi/v3/apis/shop.example/v1"


def _document(**fields: str) -> bytes:
    """Return a cluster's document of one kind, with fields of these types in its spec."""
    named = [{"group": "shop.example", "version": "v1", "kind": "Till"}]
    spec = {"type": "object", "properties": {name: {"type": kind} for name, kind in fields.items()}}
    schema = {"type": "object", "properties": {"spec": spec}, "x-kubernetes-group-version-kind": named}
    path = "/apis/shop.example/v1/namespaces/{namespace}/tills/{name}"
    paths = {path: {"get": {"x-kubernetes-group-version-kind": named[0]}}}
    return json.dumps({"paths": paths, "components": {"schemas": {"Till": schema}}}).encode()


def _hash(body: bytes) -> str:
    return hashlib.sha512(body).hexdigest().upper()


class Cluster:
    """Serves a document, or fails; ``asked`` has the mark of each question."""

    def __init__(self, body: bytes = b"", failure: Exception | None = None, etag: str | None = None) -> None:
        self.body = body
        self.failure = failure
        self.etag = f'"{_hash(body)}"' if etag is None else etag
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    async def conditional(self, path: str, _: str, etag: str) -> transport.Answer:
        """Return the document, or that it is known."""
        assert path == PATH
        self.asked.append(etag)
        if self.failure is not None:
            raise self.failure
        same = etag == self.etag
        return transport.Answer(304 if same else 200, b"" if same else self.body, etag=f" {self.etag}\r\n".encode())


def _wanted(site: str, **spec: object) -> planning.Wanted:
    body = {"apiVersion": KEY[0], "kind": KEY[1], "metadata": {"name": "front", "namespace": "shop"}, "spec": spec}
    one = releases.RenderedObject(
        objects.ObjectId("shop.example", "Till", "shop", "front"), json.dumps(body).encode(), "t"
    )
    return planning.Wanted(sites.Site(site), releases.Release(site, "app", "1.0.0", f"digest of {spec}", (one,)))


def _check(root: pathlib.Path, clusters: dict[str, Cluster], *wanted: planning.Wanted, **there: str) -> Any:  # noqa: ANN401
    """Check members as a command does; ``there`` is what sites have now."""
    readings = {one.site.name: planning.Reading(one.site.name, answered=True) for one in wanted}
    readings |= {name: planning.Reading(name, answered=True, release=release) for name, release in there.items()}
    known: Any = learned.Learned(root)
    connect: Any = clusters.__getitem__
    return asyncio.run(learning.check(wanted, UNCHECKED, readings, connect, known, concurrency=2))


def test_what_a_cluster_would_refuse_is_told_with_its_sites(tmp_path: pathlib.Path) -> None:
    """Each fault once, with the number of clusters; the value is not quoted."""
    new, old = _document(size="integer", colour="string"), _document(size="integer")
    clusters = {"s1": Cluster(new), "s2": Cluster(old), "s3": Cluster(old)}
    wanted = [_wanted(site, size="hidden", colour="red") for site in clusters]
    with pytest.raises(errors.InvalidInput) as caught:
        _check(tmp_path, clusters, *wanted)
    assert caught.value.asked
    assert [(one.code.value, str(one.mark), one.field, one.message) for one in caught.value.problems] == [
        (
            "object/unknown-field",
            "t",
            ("spec", "colour"),
            "Till front: unknown field; known here: size (by what 2 clusters serve, e.g. that of s2)",
        ),
        (
            "object/wrong-type",
            "t",
            ("spec", "size"),
            "Till front: expected a whole number (by what 3 clusters serve, e.g. that of s1)",
        ),
    ]


def test_one_cluster_sends_what_all_serve(tmp_path: pathlib.Path) -> None:
    """The second is asked about the document of the first, and a later command about the last of each."""
    body = _document(size="integer")
    clusters = {name: Cluster(body) for name in ("s1", "s2")}
    one, two = _wanted("s1", size=1), _wanted("s2", size=2)
    known: Any = learned.Learned(tmp_path)
    readings = {name: planning.Reading(name, answered=True) for name in clusters}
    connect: Any = clusters.__getitem__
    work = learning.check([one, two], UNCHECKED, readings, connect, known, concurrency=1)
    assert asyncio.run(work) == ()
    mark = f'"{_hash(body)}"'
    assert [one.asked for one in clusters.values()] == [[""], [mark]]
    assert _check(tmp_path, clusters, one, two) == ()
    assert [one.asked for one in clusters.values()] == [["", mark], [mark, mark]]
    folder = tmp_path / learned.FOLDER
    assert sorted(path.name for path in folder.iterdir()) == sorted([f"{_hash(body)}.json", "sites.json"])
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_definition_that_has_changed_is_sent_anew(tmp_path: pathlib.Path) -> None:
    """What a cluster served once is no reason to refuse."""
    cluster = Cluster(_document(size="integer"))
    assert _check(tmp_path, {"s1": cluster}, _wanted("s1", size=1)) == ()
    changed = Cluster(_document(size="string"))
    assert _check(tmp_path, {"s1": changed}, _wanted("s1", size="large")) == ()
    assert changed.asked == [cluster.etag]
    gone = Cluster(failure=answers.Failure("missing", "HTTP404", "not there", status=404))
    assert _check(tmp_path, {"s1": gone}, _wanted("s1", size=1)) == UNCHECKED
    assert learned.Learned(tmp_path).paths("s1") == ()


def test_who_needs_nothing_is_not_asked(tmp_path: pathlib.Path) -> None:
    """A cluster that has the release, or did not answer, costs no further request."""
    one, two = _wanted("s1", size=1), _wanted("s2", size=1)
    assert one.release is not None
    readings = {
        "s1": planning.Reading("s1", answered=True, release=one.release.digest),
        "s2": planning.Reading("s2", answered=False),
    }
    known: Any = learned.Learned(tmp_path)
    nobody: Any = {}.__getitem__
    left = asyncio.run(learning.check([one, two], UNCHECKED, readings, nobody, known, concurrency=2))
    assert left == (releases.Unchecked(*KEY, 1, 1, "s2"),)
    assert list(tmp_path.iterdir()) == []


DEEP = b'{"components":{"schemas":{"T":' + b'{"properties":{"a":' * 50_000 + b"1" + b"}}" * 50_000 + b"}}}"
KINDLESS = [b"", b"[]", b"{", b'{"paths":7}', b'{"components":{"schemas":{"Till":7}}}', DEEP]


@pytest.mark.parametrize(
    "cluster",
    [
        *(pytest.param(Cluster(body), id=f"no document {number}") for number, body in enumerate(KINDLESS)),
        pytest.param(Cluster(_document(size="integer"), etag='"0A"'), id="a hash of something else"),
        pytest.param(Cluster(_document(size="integer"), etag="../x"), id="a path"),
        pytest.param(Cluster(_document(size="nonsense")), id="a schema that is none"),
        pytest.param(Cluster(b" " * (9 << 20)), id="more than is read"),
        pytest.param(Cluster(failure=answers.Failure("busy", "HTTP501", "no")), id="a refusal"),
        pytest.param(Cluster(failure=TimeoutError()), id="no time left"),
    ],
)
def test_what_cannot_be_believed_leaves_objects_unchecked(cluster: Cluster, tmp_path: pathlib.Path) -> None:
    """Whatever a cluster says, its objects are unchecked at worst, and no other cluster's are."""
    good = Cluster(_document(size="integer"))
    left = _check(tmp_path, {"s1": cluster, "s2": good}, _wanted("s1", size="x"), _wanted("s2", size=1))
    assert left == UNCHECKED


def test_a_document_in_another_ones_place_is_not_read(tmp_path: pathlib.Path) -> None:
    """A file that does not have its hash any more is asked for again."""
    body = _document(size="integer")
    cluster = Cluster(body)
    assert _check(tmp_path, {"s1": cluster}, _wanted("s1", size=1)) == ()
    (tmp_path / learned.FOLDER / f"{_hash(body)}.json").write_bytes(_document(size="string"))
    assert _check(tmp_path, {"s1": cluster}, _wanted("s1", size=1)) == ()
    assert cluster.asked == ["", ""]


def test_a_folder_that_is_not_ours_is_no_fault(tmp_path: pathlib.Path) -> None:
    """Then each command asks in full."""
    (tmp_path / ".fleetctl").write_text("a file")
    cluster = Cluster(_document(size="integer"))
    assert _check(tmp_path, {"s1": cluster}, _wanted("s1", size=1)) == ()
    with pytest.raises(errors.InvalidInput, match="whole number"):
        _check(tmp_path, {"s1": cluster}, _wanted("s1", size="x"))
