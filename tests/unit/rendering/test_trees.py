"""Releases as files: which, where, untouched when equal, removed when stale, whole whatever fails in between."""

import errno
import fcntl
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

import pytest

from fleetctl.model import codes, errors, objects, releases, values
from fleetctl.rendering import trees
from tests.unit.rendering import making

OLD = [making.release("s1", "a", "b", "gone", text="old"), making.release("s2", "a", text="old")]
NEW = [making.release("s1", "a", "b", "more", text="new"), making.release("s2", "a", text="new")]


def _tree(folder: pathlib.Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _write(
    made: list[releases.Release], folder: pathlib.Path, style: str, decides: trees.Decides | None = None
) -> trees.Written:
    """Write releases; unless told otherwise they are all there is of their sites."""
    of_sites = {release.site for release in made}
    return trees.write(made, folder, style, decides or (lambda site, _: site in of_sites))


def _content(folder: pathlib.Path) -> dict[str, str]:
    """Return all but the index."""
    return {name: text for name, text in _tree(folder).items() if name != trees.INDEX}


@pytest.fixture
def out(tmp_path: pathlib.Path) -> pathlib.Path:
    """A tree of old releases."""
    _write(OLD, tmp_path / "out", "yaml")
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("group", "kind", "namespace", "name", "path"),
    [
        ("", "ConfigMap", "home", "a", "home/configmap-a.yaml"),
        ("apps", "Deployment", "home", "a.b", "home/deployment-a.b.yaml"),
        ("", "Namespace", "", "a", "_cluster/namespace-a.yaml"),
        ("rbac.authorization.k8s.io", "ClusterRole", "", "system:node", "_cluster/clusterrole-system%3Anode.yaml"),
        ("shop.example", "Till", "home", "a", "home/till.shop.example-a.yaml"),
        ("", "Event", "home", "a", "home/event-a.yaml"),
        ("events.k8s.io", "Event", "home", "a", "home/event.events.k8s.io-a.yaml"),
        ("extensions", "Ingress", "home", "a", "home/ingress.extensions-a.yaml"),
        (
            "policy.networking.k8s.io",
            "NetworkPolicy",
            "home",
            "a",
            "home/networkpolicy.policy.networking.k8s.io-a.yaml",
        ),
        ("", "configmap", "home", "a", "home/configmap.core-a.yaml"),
        ("", "ConfigMap", "home", "é", "home/configmap-%C3%A9.yaml"),
        ("", "ConfigMap", "home", "..", "home/configmap-...yaml"),
        ("", "ConfigMap", "home", "a/../b", "home/configmap-a%2F..%2Fb.yaml"),
    ],
)
def test_path_of(group: str, kind: str, namespace: str, name: str, path: str) -> None:
    """Namespace, kind, name; custom kinds with their group; nothing in a name can leave the folder."""
    assert trees.path_of(objects.ObjectId(group, kind, namespace, name), "yaml") == path


def test_long_names_fit_into_a_file_system_and_stay_different() -> None:
    """Kubernetes allows names of 253 characters, file systems 255 bytes with kind and ending."""
    names = ["a" * 252 + end for end in "bc"]
    paths = {trees.path_of(objects.ObjectId("shop.example", "Till", "home", name), "yaml") for name in names}
    assert len(paths) == 2
    assert {len(path.removeprefix("home/")) for path in paths} == {255}
    assert all(path.endswith(".yaml") for path in paths)


def test_names_that_look_alike_when_escaped_do_not_meet() -> None:
    """A sign beyond ASCII is not taken for an escaped one with letters behind it."""
    names = ["\u4e2d", "\u04e2D", "N2D", "a:", "a", "A"]
    assert len({trees.path_of(objects.ObjectId("", "ConfigMap", "home", name), "yaml") for name in names}) == 6


def test_a_tree(out: pathlib.Path) -> None:
    """One file for each object, and an index of digests and files."""
    tree = _tree(out)
    assert list(tree) == [
        "index.json",
        "s1/home/configmap-a.yaml",
        "s1/home/configmap-b.yaml",
        "s1/home/configmap-gone.yaml",
        "s2/home/configmap-a.yaml",
    ]
    assert tree["s2/home/configmap-a.yaml"] == (
        "apiVersion: v1\ndata:\n  text: old\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: home\n"
    )
    index = json.loads(tree["index.json"])
    assert index["releases"] == {"s1": {"app": OLD[0].digest}, "s2": {"app": OLD[1].digest}}
    assert index["files"]["s2"] == {"app": ["home/configmap-a.yaml"]}


def test_writing_again_touches_nothing(out: pathlib.Path) -> None:
    """Neither content nor time of any object's file: tools that watch the folder see no change."""
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and path.name != trees.INDEX}
    tree = _tree(out)
    assert _write(OLD, out, "yaml") == trees.Written(0, 4, 0)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert _tree(out) == tree


def test_a_new_release_changes_what_differs_and_removes_what_is_gone(out: pathlib.Path) -> None:
    """The counts say so."""
    assert _write([OLD[0], NEW[1]], out, "yaml") == trees.Written(1, 3, 0)
    assert _write(NEW, out, "yaml") == trees.Written(3, 1, 1)
    assert "s1/home/configmap-gone.yaml" not in _tree(out)


def test_other_sites_keep_their_files_and_their_place_in_the_index(out: pathlib.Path) -> None:
    """A run for one site says nothing about the others."""
    before = _tree(out)
    _write([NEW[0]], out, "yaml")
    assert _tree(out)["s2/home/configmap-a.yaml"] == before["s2/home/configmap-a.yaml"]
    assert json.loads(_tree(out)["index.json"])["releases"]["s2"] == {"app": OLD[1].digest}


def test_what_a_rendering_does_not_decide_about_keeps_its_files(out: pathlib.Path) -> None:
    """Another bundle of the same site stays; a site that is gone goes with a rendering that decides about it."""
    of_till = making.release("s1", "till", bundle="till")
    _write([of_till], out, "yaml", lambda site, bundle: site == "s1" and bundle == "till")
    assert len(_content(out)) == 5
    assert json.loads(_tree(out)["index.json"])["releases"]["s1"] == {"app": OLD[0].digest, "till": of_till.digest}
    _write([OLD[0]], out, "yaml", lambda _, bundle: bundle == "app")
    assert {name.split("/")[0] for name in _content(out)} == {"s1"}
    assert len(_content(out)) == 4
    assert list(json.loads(_tree(out)["index.json"])["releases"]) == ["s1"]


def test_an_object_that_moved_to_another_bundle_stays(out: pathlib.Path) -> None:
    """The bundle that lost it is rendered last, and the file belongs to the one that has it."""
    moved = making.release("s2", "a", text="moved", bundle="till")
    _write([moved], out, "yaml", lambda site, bundle: (site, bundle) == ("s2", "till"))
    _write([making.release("s2")], out, "yaml", lambda site, bundle: (site, bundle) == ("s2", "app"))
    assert "text: moved" in _tree(out)["s2/home/configmap-a.yaml"]


@pytest.mark.parametrize("site", ["..", "../elsewhere", "s1/home", ".", ""])
def test_an_index_that_was_tampered_with_names_no_site_outside_of_the_tree(out: pathlib.Path, site: str) -> None:
    """Neither the folder above nor one below a site."""
    mine = out.parent / "mine.txt"
    mine.write_text("mine", encoding="utf-8")
    index = json.loads((out / "index.json").read_text(encoding="utf-8"))
    index["files"][site] = {"app": ["mine.txt", "configmap-a.yaml", "index.json"]}
    (out / "index.json").write_text(json.dumps(index), encoding="utf-8")
    before = _content(out)
    _write(OLD, out, "yaml", lambda *_: True)
    assert mine.read_text(encoding="utf-8") == "mine"
    assert _content(out) == before


def test_a_site_that_renders_to_nothing_loses_its_folder(out: pathlib.Path) -> None:
    """Empty folders go with the last file, files of other people keep theirs."""
    (out / "s2" / "home" / "notes.txt").write_text("mine", encoding="utf-8")
    _write([making.release("s1"), making.release("s2")], out, "yaml")
    assert _content(out) == {"s2/home/notes.txt": "mine"}
    assert not (out / "s1").exists()


def test_files_that_somebody_changed_or_removed_come_back(out: pathlib.Path) -> None:
    """The folder is what was rendered, whatever it was before."""
    tree = _tree(out)
    (out / "s1" / "home" / "configmap-a.yaml").write_text("changed", encoding="utf-8")
    shutil.rmtree(out / "s2")
    assert _write(OLD, out, "yaml") == trees.Written(2, 2, 0)
    assert _tree(out) == tree


def test_stale_files_that_are_gone_already_are_no_trouble(out: pathlib.Path) -> None:
    """Even with their folders; they do not count as removed."""
    shutil.rmtree(out / "s1")
    assert _write([making.release("s1"), OLD[1]], out, "yaml") == trees.Written(0, 1, 0)


@pytest.mark.parametrize(
    ("style", "ending", "start"),
    [("yaml", "yaml", "apiVersion: v1\n"), ("kyaml", "yaml", "---\n{"), ("json", "json", "{\n")],
)
def test_styles(tmp_path: pathlib.Path, style: str, ending: str, start: str) -> None:
    """Each style has its ending; another style replaces the files of the first."""
    _write(OLD, tmp_path / "out", "json" if style == "yaml" else "yaml")
    _write(OLD, tmp_path / "out", style)
    content = _content(tmp_path / "out")
    assert {name.rpartition(".")[2] for name in content} == {ending}
    assert all(text.startswith(start) for text in content.values())


def _of_kind(kind: str) -> releases.RenderedObject:
    body: values.Vars = {"apiVersion": "shop.example/v1", "kind": kind, "metadata": {"name": "a", "namespace": "home"}}
    identity = objects.ObjectId("shop.example", kind, "home", "a")
    return releases.RenderedObject(identity, objects.canonical(body), "app/a.yaml.j2")


def test_two_objects_are_never_one_file(tmp_path: pathlib.Path) -> None:
    """Kinds that differ in case only are refused before anything is written, in one bundle and in two."""
    till, other = _of_kind("Till"), _of_kind("TILL")
    both = releases.Release("s1", "app", "1.0.0", "r1:0", (till, other))
    apart = [releases.Release("s1", name, "1.0.0", "r1:0", (one,)) for name, one in (("app", till), ("web", other))]
    for made in ([both], apart):
        with pytest.raises(errors.InvalidInput) as caught:
            _write(made, tmp_path / "out", "yaml")
        assert caught.value.problems[0].code is codes.Code.OBJECT_CLASH
        assert _tree(tmp_path / "out") == {}


def test_files_are_for_their_owner_alone(out: pathlib.Path) -> None:
    """A Secret that a bundle is allowed to hold is among them."""
    assert out.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()} == {0o600}


def test_one_process_writes_at_a_time(out: pathlib.Path) -> None:
    """A second one is refused and changes nothing; a lock that nobody holds is none."""
    before = _tree(out)
    descriptor = os.open(out, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert _said(out) == f"another fleetctl render writes to {out} now  [render/unwritable]"
    assert _tree(out) == before
    os.close(descriptor)
    assert _said(out) == ""


def test_a_link_in_the_place_of_a_site_is_refused(out: pathlib.Path) -> None:
    """Nothing is written elsewhere."""
    elsewhere = out.parent / "elsewhere"
    elsewhere.mkdir()
    shutil.rmtree(out / "s2")
    (out / "s2").symlink_to(elsewhere)
    assert _said(out) == f"{out / 's2'} is a link that leads out of {out}  [render/foreign-folder]"
    assert not any(elsewhere.iterdir())


def test_an_index_of_a_newer_fleetctl_is_refused(out: pathlib.Path) -> None:
    """It may mean what this one does not know."""
    index = (out / "index.json").read_text(encoding="utf-8")
    (out / "index.json").write_text(index.replace("v1alpha1", "v2"), encoding="utf-8")
    assert _said(out).endswith("[render/foreign-folder]")


@pytest.mark.parametrize(
    "index",
    [
        None,
        "",
        '{"kind": "RenderedTree", "apiVersion": "fleetctl.dev/v1alpha1", "files": {"a": {"b": ["\\u0000"]}}}',
        "{}",
        '{"kind": "Other"}',
        '{"kind": "RenderedTree"',
        "[]",
        "\x00",
    ],
)
def test_a_foreign_folder_is_refused(tmp_path: pathlib.Path, index: str | None) -> None:
    """A folder with files and without our index stays as it is."""
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    if index is not None:
        (tmp_path / "index.json").write_text(index, encoding="utf-8")
    before = _tree(tmp_path)
    with pytest.raises(errors.Refused) as caught:
        _write(OLD, tmp_path, "yaml")
    assert caught.value.code is codes.Code.RENDER_FOREIGN_FOLDER
    assert _tree(tmp_path) == before


def test_an_empty_folder_and_a_deep_one_are_made_ours(tmp_path: pathlib.Path) -> None:
    """Folders above are made as needed."""
    (tmp_path / "empty").mkdir()
    _write(OLD, tmp_path / "empty", "yaml")
    _write(OLD, tmp_path / "a" / "b" / "c", "yaml")
    assert _tree(tmp_path / "empty") == _tree(tmp_path / "a" / "b" / "c")


@pytest.mark.parametrize(
    "stale",
    [
        "../../mine.txt",
        "../s2/home/configmap-a.yaml",
        "home/../../../mine.txt",
        "{root}/mine.txt",
        "../index.json",
        "link/mine.txt",
        "..",
        ".",
        "",
    ],
)
def test_an_index_that_was_tampered_with_removes_nothing_outside_of_its_site(out: pathlib.Path, stale: str) -> None:
    """Not by climbing, not by a path from the root, not through a link."""
    mine = out.parent / "mine.txt"
    mine.write_text("mine", encoding="utf-8")
    (out / "s1" / "link").symlink_to(out.parent)
    index = json.loads((out / "index.json").read_text(encoding="utf-8"))
    index["files"]["s1"]["app"].append(stale.format(root=out.parent))
    (out / "index.json").write_text(json.dumps(index), encoding="utf-8")
    _write([OLD[0]], out, "yaml")
    assert mine.read_text(encoding="utf-8") == "mine"
    assert (out / "s2" / "home" / "configmap-a.yaml").exists()
    assert json.loads((out / "index.json").read_text(encoding="utf-8"))["files"]["s1"] == {
        "app": index["files"]["s1"]["app"][:-1]
    }


def _fails_at(number: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that does what ``real`` does, but for its ``number``-th call, which finds the disk full."""
    calls = iter(range(1, 1000))

    def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # stands in for any function
        if next(calls) == number:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "disk")
        return real(*given, **named)

    return call


def _said(out: pathlib.Path) -> str:
    try:
        _write(NEW, out, "yaml")
    except errors.Refused as error:
        return f"{error.message}  [{error.code}]"
    return ""


_STEPS: dict[str, tuple[Any, str]] = {
    "replace": (os, "replace"),
    "rename": (pathlib.Path, "replace"),
    "fdopen": (os, "fdopen"),
    "mkstemp": (tempfile, "mkstemp"),
    "mkdir": (pathlib.Path, "mkdir"),
    "unlink": (pathlib.Path, "unlink"),
}


@pytest.mark.parametrize("step", _STEPS)
def test_a_disk_that_is_full_leaves_whole_files_and_the_next_run_heals(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whichever call fails, at whichever file: old text or new, never half; then a run brings all to the new."""
    _write(NEW, tmp_path / "wanted", "yaml")
    wanted, refused = _tree(tmp_path / "wanted"), 0
    for number in range(1, 12):
        out = tmp_path / f"out{number}"
        _write(OLD, out, "yaml")
        old = _content(out)
        with monkeypatch.context() as patch:
            owner, name = _STEPS[step]
            patch.setattr(owner, name, _fails_at(number, getattr(owner, name)))
            said = _said(out)
        refused += bool(said)
        assert said in ("", "disk: No space left on device  [render/unwritable]")
        for path, text in _content(out).items():
            assert path.startswith(".fleetctl-part-") or text in (old.get(path), wanted.get(path))
        json.loads((out / "index.json").read_text(encoding="utf-8"))
        _write(NEW, out, "yaml")
        assert _tree(out) == wanted
    assert refused


def test_a_run_that_was_killed_leaves_nothing_behind_for_good(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a file that nobody could remove is removed by the next run, before the first index was written too."""

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    wanted = tmp_path / "wanted"
    _write(NEW, wanted, "yaml")
    for index_there in (False, True):
        out = tmp_path / f"out{index_there}"
        if index_there:
            _write(OLD, out, "yaml")
        with monkeypatch.context() as patch:
            patch.setattr(pathlib.Path, "replace", killed)
            patch.setattr(pathlib.Path, "unlink", killed)
            with pytest.raises(KeyboardInterrupt):
                _write(NEW, out, "yaml")
        assert len(_tree(out)) == len(_tree(wanted)) + 1 if index_there else 1
        _write(NEW, out, "yaml")
        assert _tree(out) == _tree(wanted)


def test_stale_files_of_a_run_that_failed_are_found_by_the_next(
    out: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index knows new files before they are written, so that a third release removes them."""
    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "replace", _fails_at(4, pathlib.Path.replace))
        with pytest.raises(errors.Refused):
            _write(NEW, out, "yaml")
    _write([making.release("s1", "z"), making.release("s2")], out, "yaml")
    assert list(_content(out)) == ["s1/home/configmap-z.yaml"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: pathlib.Path) -> None:
    """It stays."""
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(errors.Refused) as caught:
        _write(OLD, tmp_path / "out", "yaml")
    assert caught.value.code is codes.Code.RENDER_UNWRITABLE
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"
