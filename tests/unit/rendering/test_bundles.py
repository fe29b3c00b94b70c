"""Bundles as they lie on disk: which files count, what links may do, what is said about the rest."""

import errno
import os
import pathlib

import pytest

from fleetctl.model import codes, errors
from fleetctl.rendering import bundles
from tests.unit.rendering import making


def _fault(folder: pathlib.Path, wanted: str = "app") -> errors.InvalidInput:
    with pytest.raises(errors.InvalidInput) as caught:
        bundles.load(folder, wanted, lambda path: path.relative_to(folder).as_posix() or ".")
    return caught.value


def test_sources_are_templates_and_yaml_in_the_order_of_names(tmp_path: pathlib.Path) -> None:
    """Other files, hidden ones and examples are not read."""
    names = ("z.yaml", "a.yaml.j2", "_part.j2", "deep/b.yml", "README.md", "examples/one/values.yaml", ".x.yaml")
    loaded = making.loaded(tmp_path, {**dict.fromkeys(names, ""), ".git/c.yaml": "", "values.schema.json": "{}"})
    assert list(loaded.sources) == ["_part.j2", "a.yaml.j2", "deep/b.yml", "z.yaml"]


def test_a_source_knows_what_it_is_for() -> None:
    """A template may be included only; YAML is no template; both yield objects by their ending."""
    kinds = {
        name: (making.source("", name).is_template, making.source("", name).makes_objects)
        for name in ("a.yaml.j2", "a.yml.j2", "_part.j2", "b.yaml", "c.yml")
    }
    assert kinds == {
        "a.yaml.j2": (True, True),
        "a.yml.j2": (True, True),
        "_part.j2": (True, False),
        "b.yaml": (False, True),
        "c.yml": (False, True),
    }


def test_description_and_defaults(tmp_path: pathlib.Path) -> None:
    """The values key is the bundle's name, and no literal Secret is allowed, unless bundle.yaml says otherwise."""
    plain = making.loaded(tmp_path, {})
    more = "valuesKey: pos\nallowLiteral: true\nvalues: {a: [1]}\n"
    said = making.loaded(tmp_path, {"bundle.yaml": making.BUNDLE + more})
    assert (plain.values_key, plain.values, plain.allow_literal, plain.checker) == ("app", {}, False, None)
    assert (said.values_key, said.values, said.allow_literal) == ("pos", {"a": [1]}, True)
    assert (said.name, said.version, said.namespace) == ("app", "1.0.0", "home")


def test_catalogue_names_folders_with_a_description(tmp_path: pathlib.Path) -> None:
    """A folder without bundle.yaml is no bundle; a folder that is not there has none."""
    making.loaded(tmp_path, {})
    (tmp_path / "empty").mkdir()
    assert bundles.catalogue(tmp_path) == ["app"]
    assert bundles.catalogue(tmp_path / "missing") == []


def test_a_name_without_a_bundle(tmp_path: pathlib.Path) -> None:
    """What is near is offered, else all there is, else the word none."""
    none = _fault(tmp_path)
    making.loaded(tmp_path, {})
    assert none.message == 'there is no bundle "app"; there is: none'
    assert _fault(tmp_path, "apps").message == 'there is no bundle "apps"; did you mean "app"?'
    assert _fault(tmp_path, "zebra@1.0.0").message == 'there is no bundle "zebra"; there is: app'
    assert none.code is codes.Code.BUNDLE_NOT_FOUND


def test_a_version_is_an_assertion(tmp_path: pathlib.Path) -> None:
    """The version in bundle.yaml is the only one there is; nothing after the @ is a slip of the shell."""
    making.loaded(tmp_path, {})
    assert bundles.load(tmp_path, "app@1.0.0", str).version == "1.0.0"
    fault = _fault(tmp_path, "app@1.0.1")
    assert [(problem.code, str(problem.mark)) for problem in fault.problems] == [
        (codes.Code.BUNDLE_VERSION_MISMATCH, "app/bundle.yaml:4:10")
    ]
    with pytest.raises(errors.UsageError):
        bundles.load(tmp_path, "app@", str)


@pytest.mark.parametrize("name", ["a.yaml.j2", "_part.j2", "plain.yaml", "values.schema.json"])
def test_a_link_that_leads_out_is_refused(tmp_path: pathlib.Path, name: str) -> None:
    """Neither templates nor the schema may be taken from outside the bundle's folder, and nothing of them is read."""
    (tmp_path / "secret.txt").write_text("hunter2", encoding="utf-8")
    templates = tmp_path / "templates"
    making.loaded(templates, {})
    (templates / "app" / name).symlink_to(tmp_path / "secret.txt")
    fault = _fault(templates)
    assert (fault.problems[0].code, str(fault.problems[0].mark)) == (codes.Code.BUNDLE_OUTSIDE_PROJECT, f"app/{name}")
    assert "hunter2" not in "".join(problem.message + "".join(problem.notes) for problem in fault.problems)
    assert len(fault.problems) == 1


def test_a_description_that_is_linked_from_outside_is_refused(tmp_path: pathlib.Path) -> None:
    """It is one problem: what an unread description lacks is not told."""
    templates = tmp_path / "templates"
    making.loaded(templates, {})
    (tmp_path / "bundle.yaml").write_text(making.BUNDLE, encoding="utf-8")
    (templates / "app" / "bundle.yaml").unlink()
    (templates / "app" / "bundle.yaml").symlink_to(tmp_path / "bundle.yaml")
    assert [problem.code for problem in _fault(templates).problems] == [codes.Code.BUNDLE_OUTSIDE_PROJECT]


def test_a_folder_that_is_linked_from_outside_is_refused(tmp_path: pathlib.Path) -> None:
    """It would not be searched, so nobody may think that it was."""
    templates = tmp_path / "templates"
    making.loaded(templates, {})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.yaml").write_text(making.config_map(), encoding="utf-8")
    (templates / "app" / "more").symlink_to(tmp_path / "elsewhere")
    (problem,) = _fault(templates).problems
    assert (problem.code, str(problem.mark)) == (codes.Code.BUNDLE_OUTSIDE_PROJECT, "app/more")


def test_a_link_inside_of_the_bundle_is_a_file(tmp_path: pathlib.Path) -> None:
    """Links that stay in the folder are followed."""
    making.loaded(tmp_path, {"a.yaml": making.config_map()})
    (tmp_path / "app" / "b.yaml").symlink_to("a.yaml")
    loaded = bundles.load(tmp_path, "app", str)
    assert loaded.sources["b.yaml"].text == loaded.sources["a.yaml"].text


@pytest.mark.parametrize("name", ["b.yaml", "values.schema.json"])
@pytest.mark.parametrize("target", ["c.yaml", "b.yaml", "values.schema.json"])
def test_a_link_that_leads_nowhere_or_in_a_circle_is_a_problem(tmp_path: pathlib.Path, name: str, target: str) -> None:
    """A template or schema that is missing is not left out in silence."""
    making.loaded(tmp_path, {})
    (tmp_path / "app" / name).symlink_to(target)
    (problem,) = _fault(tmp_path).problems
    assert (problem.code, str(problem.mark)) == (codes.Code.PROJECT_UNREADABLE, f"app/{name}")


def test_text_is_utf8_without_mark_and_carriage_returns(tmp_path: pathlib.Path) -> None:
    """Editors may put a byte order mark in front and end lines as on Windows."""
    loaded = making.loaded(tmp_path, {"a.yaml.j2": "\ufeffa: b\r\nc: d\r\n"})
    assert loaded.sources["a.yaml.j2"].text == "a: b\nc: d\n"


def test_bytes_that_are_no_text(tmp_path: pathlib.Path) -> None:
    """The place of the first bad byte is told."""
    making.loaded(tmp_path, {})
    (tmp_path / "app" / "a.yaml.j2").write_bytes(b"a: \xff\n")
    (problem,) = _fault(tmp_path).problems
    assert problem.code is codes.Code.YAML_ENCODING
    assert f"{problem.mark}  {problem.message}" == "app/a.yaml.j2:1:4  byte 0xff is not UTF-8; save the file as UTF-8"


def test_all_files_that_were_read_are_counted(tmp_path: pathlib.Path) -> None:
    """A summary can say in how many of how many files something is wrong."""
    files = {"bundle.yaml": making.BUNDLE + "zebra: 1\n", "a.yaml.j2": "", "values.schema.json": "x"}
    with pytest.raises(errors.InvalidInput) as caught:
        making.loaded(tmp_path, files)
    assert caught.value.files == 3
    assert [problem.code for problem in caught.value.problems] == [
        codes.Code.BUNDLE_UNKNOWN_KEY,
        codes.Code.BUNDLE_SCHEMA_INVALID,
    ]


def test_a_folder_that_cannot_be_read_is_a_problem(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its templates are not taken for gone."""
    making.loaded(tmp_path, {"deep/a.yaml": "", "b.yaml": ""})
    real = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    fault = _fault(tmp_path)
    assert fault.code is codes.Code.PROJECT_UNREADABLE
    assert fault.message == "cannot be read: Permission denied"


def test_a_pipe_is_a_problem(tmp_path: pathlib.Path) -> None:
    """It is not waited for."""
    making.loaded(tmp_path, {})
    os.mkfifo(tmp_path / "app" / "p.yaml.j2")
    assert _fault(tmp_path).code is codes.Code.PROJECT_UNREADABLE
