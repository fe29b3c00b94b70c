"""Whole commands as data: each case gives files and a command line, and the exact output.

A case file is a YAML list of maps with the keys

``name``    what the case shows
``files``   path to text, laid over the files below; null takes a file away, ``{folder: true}`` makes a folder,
            ``{latin1: TEXT}`` a file that is not UTF-8, ``{size: BYTES}`` one of zeros, ``{link: TARGET}`` a link,
            ``{writable: TEXT}`` a file that anybody may write
``commits`` the history of a git repository, first commit first: each as ``files``, or ``{submodule: true}`` for a path;
            commit N has the tag cN, and always the same id
``run``     the command line after ``fleetctl``, split as a shell does; ``{project}`` is the project's folder
``env``     variables of the environment; ``XDG_CONFIG_HOME`` is the folder ``config``
``exit``    the exit code, 0 unless given
``stdout``, ``stderr``   the exact text; a stream that is not given must be empty
``after``   path to the exact text of a file afterwards; null for a file that must not be there

``FLEETCTL_WRITE_CASES=1 pytest tests/cases`` writes what commands say now into the case files: read the diff.
"""

import os
import pathlib
import shlex
import subprocess
from typing import Any

import pytest
import typer.testing
import yaml

from fleetctl.cli import main
from fleetctl.model import codes

FOLDER = pathlib.Path(__file__).parent
WRITE = os.environ.get("FLEETCTL_WRITE_CASES") == "1"
PROJECT = {
    "fleetctl.yaml": "apiVersion: fleetctl.dev/v1alpha1\nkind: Project\nname: demo\n",
    "inventory/defaults.yaml": "apiVersion: fleetctl.dev/v1alpha1\nkind: Defaults\nbundles: {app: {}}\n",
    "templates/app/bundle.yaml": (
        "apiVersion: fleetctl.dev/v1alpha1\nkind: Bundle\nname: app\nversion: 1.0.0\nnamespace: app\n"
    ),
}
"""The smallest project: no sites, one bundle without templates."""

Case = dict[str, Any]


def _cases() -> list[Any]:
    return [
        pytest.param(path, index, case, id=f"{path.relative_to(FOLDER).with_suffix('')}-{case['name']}")
        for path in sorted(FOLDER.rglob("*.yaml"))
        for index, case in enumerate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    ]


def _lay_out(folder: pathlib.Path, case: Case) -> None:
    files = {**PROJECT, **case.get("files", {})}
    if "commits" in case:
        _write_files(folder, PROJECT)
        _git(folder, "init", "-q", "-b", "main")
        for number, then in enumerate(case["commits"], 1):
            _commit(folder, number, then)
        files = case.get("files", {})
    _write_files(folder, files)


def _git(folder: pathlib.Path, *arguments: str) -> None:
    who = {f"GIT_{role}_{what}": what for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    when = {f"GIT_{role}_DATE": "2026-11-22T10:00:00Z" for role in ("AUTHOR", "COMMITTER")}
    config = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(folder), *arguments]
    subprocess.run(command, check=True, env={**os.environ, **who, **when, **config})


def _commit(folder: pathlib.Path, number: int, files: dict[str, Any]) -> None:
    """Commit files on top of what is there; a submodule is nothing but another repository's commit at a path."""
    modules = [name for name, text in files.items() if isinstance(text, dict) and "submodule" in text]
    _write_files(folder, {name: text for name, text in files.items() if name not in modules})
    _git(folder, "add", "-A")
    for name in modules:
        _git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},{name}")
    _git(folder, "commit", "-q", "-m", f"commit {number}")
    _git(folder, "tag", f"c{number}")


def _write_files(folder: pathlib.Path, files: dict[str, Any]) -> None:
    for name, text in files.items():
        path = folder / name
        if text is None:
            path.unlink(missing_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, str):
            path.write_text(text, encoding="utf-8", newline="")
        elif "folder" in text:
            path.mkdir(exist_ok=True)
        elif "writable" in text:
            path.write_text(text["writable"], encoding="utf-8", newline="")
            path.chmod(0o666)
        elif "latin1" in text:
            path.write_text(text["latin1"], encoding="latin-1", newline="")
        elif "link" in text:
            path.symlink_to(text["link"])
        else:
            with path.open("wb") as file:
                file.truncate(text["size"])


def _outcome(folder: pathlib.Path, case: Case) -> Case:
    """Run a case's command in its folder and return what it said, without the folder's own name."""
    arguments = [word.replace("{project}", str(folder)) for word in shlex.split(case["run"])]
    result = typer.testing.CliRunner().invoke(main.app, arguments, prog_name="fleetctl")
    said = {"exit": result.exit_code, "stdout": result.stdout, "stderr": result.stderr}
    seen: Case = {
        key: value.replace(str(folder), "{project}") if isinstance(value, str) else value
        for key, value in said.items()
        if value
    }
    if "after" in case:
        seen["after"] = {
            name: (folder / name).read_text(encoding="utf-8") if (folder / name).exists() else None
            for name in case["after"]
        }
    return seen


@pytest.mark.parametrize(("path", "index", "case"), _cases())
def test_case(
    path: pathlib.Path, index: int, case: Case, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command says exactly what the case says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name, value in case.get("env", {}).items():
        monkeypatch.setenv(name, value)
    _lay_out(tmp_path, case)
    seen = _outcome(tmp_path, case)
    reads = case["run"].startswith("inventory") and not case["run"].startswith("inventory sync")
    if reads and "exit" not in seen and "after" not in case:
        assert _outcome(tmp_path, case) == seen, "a fleet that was kept says something else"
    if WRITE:
        _write(path, index, seen)
        return
    assert seen == {key: value for key, value in case.items() if key in ("exit", "stdout", "stderr", "after") and value}


def _write(path: pathlib.Path, index: int, seen: Case) -> None:
    cases = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    given = {key: value for key, value in cases[index].items() if key in ("name", "commits", "files", "env", "run")}
    cases[index] = {**given, **seen}
    path.write_text(
        yaml.dump(cases, Dumper=_BlockDumper, sort_keys=False, allow_unicode=True, width=1000), encoding="utf-8"
    )


class _BlockDumper(yaml.CSafeDumper):
    pass


def _present(dumper: Any, text: str) -> Any:  # noqa: ANN401  # libyaml's binding is not typed
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_BlockDumper.add_representer(str, _present)


def test_every_code_has_a_case() -> None:
    """No code of ``model.codes`` goes without a command that provokes it."""
    cases = [one.values[2] for one in _cases()]
    said = "".join(f"{case.get('stderr', '')}{case.get('stdout', '')}" for case in cases)
    missing = {code for code in codes.Code if f"[{code}]" not in said}
    # A bug and a full disk cannot be cases; tests/unit/cli provokes both.
    elsewhere = {codes.Code.INTERNAL, codes.Code.OUTPUT_UNWRITABLE}
    # What needs Helm and kustomize: tests/unit/rendering/test_externals.py.
    elsewhere |= {codes.Code.HELM_FAILED, codes.Code.HELM_HOOK, codes.Code.KUSTOMIZE_FAILED}
    # What needs a secret store that refuses, or talks nonsense: tests/unit/secrets.
    elsewhere |= {codes.Code.SECRET_REFUSED, codes.Code.SECRET_BROKEN}
    # What needs clusters, a service, another process or a failing disk: tests/unit/{cli,inventory,rollout,state}.
    elsewhere |= {
        codes.Code.APPLYSET_HALF_DONE,
        codes.Code.APPLYSET_MANAGED_ELSEWHERE,
        codes.Code.APPLYSET_MISSING,
        codes.Code.APPLYSET_TOO_WIDE,
        codes.Code.BUNDLE_VERSION_REUSED,
        codes.Code.HOLD_FLEET,
        codes.Code.INIT_UNWRITABLE,
        codes.Code.INVENTORY_UNWRITABLE,
        codes.Code.LOCK_UNWRITABLE,
        codes.Code.PLAN_PRUNES_TOO_MUCH,
        codes.Code.PLAN_UNWRITABLE,
        codes.Code.RUN_OTHER_PLAN,
        codes.Code.RUN_OVERLAPS,
        codes.Code.RUN_STATE,
        codes.Code.SOURCE_REFUSED,
        codes.Code.SIM_NOT_STARTED,
        codes.Code.SIM_OTHER,
        codes.Code.STATE_BUSY,
        codes.Code.STATE_NETWORK_FILESYSTEM,
        codes.Code.STATE_NEWER,
    }
    assert missing == elsewhere
