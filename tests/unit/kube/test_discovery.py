"""All kinds of a cluster from one answer, kept: when it is asked for, what it saves, and what is not believed."""

import asyncio
import hashlib
import os
import pathlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fleetctl.kube import answers, client, curl, discovery, discoverycache, kinds, transport
from fleetctl.reading import disk
from tests.unit.kube import wires

CA = wires.Authority("ours")
PAIR = CA.server()
SHOP = transport.Endpoint("https://shop:6443", b"ca")
OTHER = transport.Endpoint("https://other:6443", b"ca")
TILL = ("example.com", "Till", "example.com/v1")
DESK = ("other.com", "Desk", "other.com/v1")
ASKED = "/apis?"


def _told(*groups: dict[str, Any]) -> tuple[bytes, str]:
    """Return an answer as API servers send it, and its mark."""
    said = {"metadata": {}, "items": list(groups)}
    body = msgspec.json.encode({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", **said})
    return body + b"\n", f'"{hashlib.sha512(msgspec.json.encode(said)).hexdigest().upper()}"'


def _group(name: str, *kinds_of: str, version: str = "v1", freshness: str = "Current") -> dict[str, Any]:
    resources = [
        {
            "resource": f"{kind.lower()}s",
            "responseKind": {"group": "", "version": "", "kind": kind},
            "scope": "Namespaced",
            "subresources": [{"subresource": "status"}],
        }
        for kind in kinds_of
    ]
    versions = [{"version": version, "resources": resources, "freshness": freshness}]
    return {"metadata": {"name": name}, "versions": versions}


FULL, MARK = _told(_group("example.com", "Till"), _group("other.com", "Desk"))


class Cluster:
    """Tells its kinds in both forms, and keeps what it was asked: ``/apis?`` stands for all, ``MARK`` for the mark."""

    def __init__(self, *groups: dict[str, Any], failure: answers.Failure | None = None) -> None:
        self.groups = list(groups)
        self.failure = failure
        self.asked: list[str] = []

    async def get_raw(self, path: str) -> bytes:
        """Tell one version."""
        self.asked.append(path)
        group = next((one for one in self.groups if path == f"/apis/{one['metadata']['name']}/v1"), None)
        if group is None:
            raise answers.Failure("missing", "NotFound", "not there", status=404)
        found = [
            {"name": one["resource"], "kind": one["responseKind"]["kind"], "namespaced": True}
            for one in group["versions"][0]["resources"]
        ]
        return msgspec.json.encode({"resources": found})

    async def conditional(self, path: str, accept: str, etag: str = "") -> transport.Answer:
        """Tell all, or that it is known."""
        assert (path, accept) == ("/apis", discovery.ACCEPT)
        body, mark = _told(*self.groups)
        self.asked.append(f"{ASKED}{'' if not etag else 'known' if etag == mark else 'else'}")
        if self.failure is not None:
            raise self.failure
        same = etag == mark
        return transport.Answer(304 if same else 200, b"" if same else body, etag=f" {mark}\r\n".encode())


def _visit(
    cluster: Cluster, known: discovery.Known | None, *wanted: tuple[str, str, str]
) -> list[kinds.Resource | None]:
    """Ask about kinds in one visit."""
    cluster.asked.clear()

    async def ask() -> list[kinds.Resource | None]:
        served = kinds.Resources(cluster, known)
        return [await served.of(*one) for one in wanted]

    return asyncio.run(ask())


def _cluster() -> Cluster:
    return Cluster(_group("example.com", "Till"), _group("other.com", "Desk"))


def test_one_question_of_a_visit_stays_small(tmp_path: pathlib.Path) -> None:
    """Where nothing is known, the first version is asked for alone, and all kinds from the second question on."""
    cache, cluster = discoverycache.Cache(tmp_path), _cluster()
    assert None not in _visit(cluster, cache.of(SHOP), TILL)
    assert cluster.asked == ["/apis/example.com/v1"]
    assert None not in _visit(cluster, cache.of(SHOP), TILL, TILL, DESK)
    assert cluster.asked == ["/apis/example.com/v1", ASKED]


def test_what_is_known_is_confirmed(tmp_path: pathlib.Path) -> None:
    """The next command asks one small question, whatever it needs; another one if the cluster has changed since."""
    cluster = _cluster()
    _visit(cluster, discoverycache.Cache(tmp_path).of(SHOP), TILL, DESK)
    found = _visit(cluster, discoverycache.Cache(tmp_path).of(SHOP), TILL, DESK)
    assert [one.plural if one else "" for one in found] == ["tills", "desks"]
    assert cluster.asked == [f"{ASKED}known"]
    cluster.groups.append(_group("third.com", "Lamp"))
    assert None not in _visit(cluster, discoverycache.Cache(tmp_path).of(SHOP), ("third.com", "Lamp", "third.com/v1"))
    assert cluster.asked == [f"{ASKED}else"]


def test_built_in_kinds_ask_nothing_and_read_nothing(tmp_path: pathlib.Path) -> None:
    """A rollout of them stays without discovery."""
    cluster = _cluster()
    assert None not in _visit(cluster, discoverycache.Cache(tmp_path).of(SHOP), ("apps", "Deployment", "apps/v1"))
    assert (cluster.asked, list(tmp_path.iterdir())) == ([], [])


def test_a_second_cluster_confirms_what_the_first_said(tmp_path: pathlib.Path) -> None:
    """Clusters that serve the same share one file, and only the first of them sends it."""
    cache, cluster = discoverycache.Cache(tmp_path), _cluster()
    _visit(cluster, cache.of(SHOP), TILL, DESK)
    assert None not in _visit(cluster, cache.of(OTHER), TILL, DESK)
    assert cluster.asked == [f"{ASKED}known"]
    assert None not in _visit(cluster, discoverycache.Cache(tmp_path).of(OTHER), TILL)
    assert cluster.asked == [f"{ASKED}known"]
    folder = tmp_path / discoverycache.FOLDER
    assert len(list(folder.glob("*.json"))) == 1
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}


def test_a_cluster_cannot_speak_for_another(tmp_path: pathlib.Path) -> None:
    """An answer under a mark that is not its hash stays that cluster's own, be the mark another's."""
    cache, cluster = discoverycache.Cache(tmp_path), _cluster()
    forged, _ = _told(_group("example.com", "Till") | {"versions": []})
    cache.of(SHOP).take(transport.Answer(200, forged, etag=MARK.encode()))
    assert cache.last is None
    assert None not in _visit(cluster, cache.of(OTHER), TILL, DESK)
    assert cluster.asked == ["/apis/example.com/v1", ASKED]


def test_what_the_answer_lacks_is_asked_for_by_its_version(tmp_path: pathlib.Path) -> None:
    """A kind that comes during a visit is found in it: a definition was applied a moment ago."""
    cache, cluster = discoverycache.Cache(tmp_path), _cluster()
    _visit(cluster, cache.of(SHOP), TILL, DESK)

    async def ask() -> list[kinds.Resource | None]:
        served = kinds.Resources(cluster, cache.of(SHOP))
        lamp = ("third.com", "Lamp", "third.com/v1")
        found = [await served.of(*lamp)]
        cluster.groups.append(_group("third.com", "Lamp"))
        return [*found, await served.of(*lamp), await served.of(*TILL)]

    cluster.asked.clear()
    before, after, till = asyncio.run(ask())
    assert before is None
    assert after is not None
    assert till is not None
    assert cluster.asked == [f"{ASKED}known", "/apis/third.com/v1", "/apis/third.com/v1"]


def test_a_stale_version_is_asked_for_itself(tmp_path: pathlib.Path) -> None:
    """The server repeats what an extension said before it fell silent."""
    stale = _group("example.com", "Till", freshness="Stale")
    cluster = Cluster(stale, _group("other.com", "Desk"))
    found = discovery.read(_told(stale)[0])
    assert (found.versions, found.kinds) == ({}, {})
    cache = discoverycache.Cache(tmp_path)
    assert None not in _visit(cluster, cache.of(SHOP), DESK, TILL)
    assert cluster.asked == ["/apis/other.com/v1", ASKED, "/apis/example.com/v1"]


@pytest.mark.parametrize("kind", ["missing", "forbidden", "rejected", "broken"])
def test_who_does_not_tell_all_tells_one(kind: answers.Kind, tmp_path: pathlib.Path) -> None:
    """A cluster that refuses the large question is asked by version, once more in the next visit."""
    cluster = _cluster()
    cluster.failure = answers.Failure(kind, "No", "no")
    assert None not in _visit(cluster, discoverycache.Cache(tmp_path).of(SHOP), TILL, DESK, DESK)
    assert cluster.asked == ["/apis/example.com/v1", ASKED, "/apis/other.com/v1"]


def test_silence_is_not_absence(tmp_path: pathlib.Path) -> None:
    """What keeps a cluster from answering keeps it from answering a smaller question."""
    cluster = _cluster()
    cluster.failure = answers.Failure("unreachable", "NoRoute", "away")
    with pytest.raises(answers.Failure, match="away"):
        _visit(cluster, discoverycache.Cache(tmp_path).of(SHOP), TILL, DESK)


def test_an_old_server_tells_its_groups(tmp_path: pathlib.Path) -> None:
    """Before 1.27 the answer has no kinds; it is not kept."""
    body = b'{"kind":"APIGroupList","groups":[]}'
    document = discoverycache.Cache(tmp_path).of(SHOP).take(transport.Answer(200, body, etag=b'"x"'))
    assert (document, list(tmp_path.iterdir())) == (discovery.NOTHING, [])


def _unreadable(folder: pathlib.Path) -> bytes:
    hashed = hashlib.sha256(b"[]").hexdigest()
    disk.replace(folder / f"{hashed}.json", b"[]")
    return b'{"etag":"\\"a\\"","body":"' + hashed.encode() + b'"}'


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(lambda _: b'{"etag":"\\"a\\"\\r\\nX-Evil: 1","body":"BODY"}', id="a header in the mark"),
        pytest.param(lambda _: b'{"etag":7}', id="another type"),
        pytest.param(lambda _: b'{"etag":"\\"a\\"","body":"../../secret"}', id="a way out"),
        pytest.param(lambda _: b" " * 2000, id="too large"),
        pytest.param(_unreadable, id="an answer that is none"),
    ],
)
def test_a_harmed_entry_is_none(harm: Callable[[pathlib.Path], bytes], tmp_path: pathlib.Path) -> None:
    """Whatever is said of a cluster, it is asked as if nothing were known, and all is well."""
    cluster = _cluster()
    _visit(cluster, discoverycache.Cache(tmp_path).of(SHOP), TILL, DESK)
    folder = tmp_path / discoverycache.FOLDER
    [body], [entry] = folder.glob("*.json"), (folder / "clusters").iterdir()
    entry.write_bytes(harm(folder).replace(b"BODY", body.stem.encode()))
    assert None not in _visit(cluster, discoverycache.Cache(tmp_path).of(SHOP), TILL, DESK)
    assert cluster.asked == ["/apis/example.com/v1", ASKED]


@pytest.mark.parametrize("harm", ["cut", "other", "readable", "link", "pipe", "folder"])
def test_a_harmed_file_is_none(harm: str, tmp_path: pathlib.Path) -> None:
    """A file that is damaged, that others could have written, or that is none: the same."""
    cluster = _cluster()
    _visit(cluster, discoverycache.Cache(tmp_path).of(SHOP), TILL, DESK)
    [body] = (tmp_path / discoverycache.FOLDER).glob("*.json")
    match harm:
        case "cut":
            body.write_bytes(body.read_bytes()[:-9])
        case "other":
            body.write_bytes(_told(_group("example.com", "Lie"))[0])
        case "readable":
            body.chmod(0o644)
        case "link":
            body.symlink_to(body.rename(body.with_name("elsewhere")))
        case "pipe":
            body.unlink()
            os.mkfifo(body, 0o600)
        case _:
            body.unlink()
            body.mkdir()
    assert None not in _visit(cluster, discoverycache.Cache(tmp_path).of(SHOP), TILL, DESK)
    assert cluster.asked == ["/apis/example.com/v1", ASKED]


def test_the_cache_is_bounded(tmp_path: pathlib.Path) -> None:
    """Old answers go when new ones come; one that is very large is not kept at all."""
    cache = discoverycache.Cache(tmp_path)
    for number in range(70):
        cache.of(SHOP).take(transport.Answer(200, _told(_group(f"g{number}.com", "A"))[0], etag=b'"a"'))
    folder = tmp_path / discoverycache.FOLDER
    assert len(list(folder.glob("*.json"))) == 64
    large, _ = _told(_group("example.com", *(f"A{number}" for number in range(16_000))))
    assert len(large) > 2 << 20
    assert len(cache.of(SHOP).take(transport.Answer(200, large, etag=b'"b"')).kinds["example.com/v1"]) == 16_000
    assert len(list(folder.glob("*.json"))) == 64


def test_a_folder_that_is_not_ours_is_no_fault(tmp_path: pathlib.Path) -> None:
    """Then each visit asks in full."""
    (tmp_path / ".fleetctl").write_text("a file")
    assert None not in _visit(_cluster(), discoverycache.Cache(tmp_path).of(SHOP), TILL, DESK)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'{"kind":"APIGroupDiscoveryList","items":{}}',
        b'{"kind":"APIGroupDiscoveryList","items":[7]}',
        b'{"kind":"APIGroupDiscoveryList","items":[{"metadata":{"name":7}}]}',
        b'{"kind":"APIGroupDiscoveryList","items":[{"metadata":{},"versions":[{"version":[]}]}]}',
        b'{"kind":"APIGroupDiscoveryList","items":[{"metadata":{},"versions":[{"version":"v1","resources":[{}]}]}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_discovery_is_broken(body: bytes) -> None:
    """Wrong types end in a failure, which ends in a question by version."""
    with pytest.raises(answers.Failure, match="not what the Kubernetes API documents"):
        discovery.read(body)


def test_what_cannot_be_a_kind_is_left_out() -> None:
    """No kind, or a name that would lead elsewhere; nulls where Go has no list."""
    group = _group("example.com", "Till", "a/../../b")
    group["versions"][0]["resources"].append({"resource": "nameless", "scope": "Namespaced", "subresources": None})
    empty = {"metadata": {"name": "empty.com"}, "versions": None}
    found = discovery.read(_told(group, empty)[0])
    assert {name: sorted(one) for name, one in found.kinds.items()} == {"example.com/v1": ["Till"]}
    assert found.versions == {"example.com": ("example.com/v1",), "empty.com": ()}


def test_a_mark_goes_over_the_wire() -> None:
    """It is sent, and a 304 with it is an answer; a 304 that nobody asked for is none."""
    seen: list[str] = []

    def serve(connection: wires.Connection) -> None:
        while (request := connection.request()) is not None:
            mark = request.headers.get("if-none-match", "")
            seen.append(mark)
            connection.send(
                wires.answer(b"all", 200, 'ETag: "1"\r\n') if not mark else b'HTTP/1.1 304 Not\r\nEtag: "1"\r\n\r\n'
            )

    async def ask(url: str) -> list[transport.Answer]:
        async with curl.CurlTransport() as wire:
            with client.Client(wire.session(transport.Endpoint(url, CA.certificate))) as api:
                return [await api.conditional("/apis", "a/b", etag) for etag in ("", '"1"', "")]

    with wires.Server(PAIR, serve) as server:
        found = asyncio.run(ask(server.url))
    assert [(one.status, one.body, one.etag.strip()) for one in found] == [
        (200, b"all", b'"1"'),
        (304, b"", b'"1"'),
        (200, b"all", b'"1"'),
    ]
    assert seen == ["", '"1"', ""]
    with wires.Server(PAIR, wires.answering(b"HTTP/1.1 304 Not\r\n\r\n")) as server, pytest.raises(answers.Failure):
        asyncio.run(ask(server.url))


LIST = b'{"resources":[{"name":"tills","kind":"Till","namespaced":true}]}'
HUGE = b'{"kind":"APIGroupDiscoveryList","items":[' + b"{}," * 200_000 + b"{}]}"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(wires.answer(HUGE), id="more than is taken"),
        pytest.param(wires.answer(b"[]" * 20), id="no discovery"),
        pytest.param(wires.answer(b'{"kind":"APIGroupDiscoveryList","items":7}'), id="wrong types"),
        pytest.param(wires.answer(b"", 406), id="no such form"),
        pytest.param(wires.answer(b"", 304), id="a 304 that nobody asked for"),
        pytest.param(wires.answer(b"{}", 200, "ETag: \x01\xff\r\n"), id="a mark that is none"),
    ],
)
def test_a_hostile_answer_costs_itself(said: bytes, tmp_path: pathlib.Path) -> None:
    """The kinds are found by version all the same, and nothing of the answer is kept."""
    paths: list[str] = []

    def serve(connection: wires.Connection) -> None:
        while (request := connection.request()) is not None:
            paths.append(request.path)
            connection.send(said if request.path == "/apis" else wires.answer(LIST))

    async def ask(url: str) -> list[kinds.Resource | None]:
        async with curl.CurlTransport(transport.Limits(size=100_000)) as wire:
            endpoint = transport.Endpoint(url, CA.certificate)
            known = discoverycache.Cache(tmp_path).of(endpoint)
            with client.Client(wire.session(endpoint), known=known) as api:
                return [await api.resources.of(f"{name}.com", "Till", f"{name}.com/v1") for name in "ab"]

    with wires.Server(PAIR, serve) as server:
        assert None not in asyncio.run(ask(server.url))
    assert paths == ["/apis/a.com/v1", "/apis", "/apis/b.com/v1"]
    assert list(tmp_path.iterdir()) == []
