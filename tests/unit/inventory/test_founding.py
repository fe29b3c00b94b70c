"""New projects: every example works where it is put, and what fails half way leaves nothing."""

import errno
import pathlib

import pytest
import typer.testing

from fleetctl.cli import main
from fleetctl.inventory import fleets, founding, locating
from fleetctl.model import codes, errors


def _run(*arguments: str) -> None:
    result = typer.testing.CliRunner().invoke(main.app, list(arguments), prog_name="fleetctl")
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(founding.examples()))
def test_every_example_works(tmp_path: pathlib.Path, name: str) -> None:
    """It validates and renders, knows only what is in its own folder, and has the same sites as the original."""
    made = tmp_path / "made"
    _run("init", str(made), "--example", name)
    _run("-C", str(made), "inventory", "validate")
    _run("-C", str(made), "render", "--all")
    project = locating.find(made)
    assert (project.name, project.templates) == ("made", made / "templates")
    assert fleets.load(project).fleet.sites == fleets.load(locating.find(founding.examples()[name])).fleet.sites


@pytest.mark.parametrize("there", [True, False], ids=["empty-folder", "new-folder"])
@pytest.mark.parametrize("failing", [1, 2, 3])
def test_nothing_is_left_of_half_a_project(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, failing: int, *, there: bool
) -> None:
    """Whichever of the renames fails; folders that were there stay, those that were made go."""
    target = tmp_path / "a" / "b"
    if there:
        target.mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    done = []

    def rename(self: pathlib.Path, to: pathlib.Path) -> pathlib.Path:
        done.append(to)
        if len(done) == (failing if there else 1):
            raise OSError(errno.ENOSPC, "No space left on device")
        return renaming(self, to)

    renaming = pathlib.Path.rename
    monkeypatch.setattr(pathlib.Path, "rename", rename)
    with pytest.raises(errors.Refused, match="No space left") as caught:
        founding.found(target, founding.from_example(founding.STARTER))
    assert caught.value.code is codes.Code.INIT_UNWRITABLE
    assert sorted(tmp_path.rglob("*")) == before


def test_input_that_is_wrong_leaves_nothing(tmp_path: pathlib.Path) -> None:
    """What would not validate is not put into place, also when each file is fine by itself."""
    plan = founding.from_example(founding.STARTER)
    del plan["templates/hello/bundle.yaml"]
    with pytest.raises(errors.InvalidInput, match="no bundle"):
        founding.found(tmp_path / "new", plan)
    assert list(tmp_path.iterdir()) == []


def test_a_project_can_be_read_by_others(tmp_path: pathlib.Path) -> None:
    """Its folders have the rights that new folders have, not those of temporary ones."""
    (tmp_path / "plain").mkdir()
    founding.found(tmp_path / "new", founding.from_example(founding.STARTER))
    modes = {(tmp_path / name).stat().st_mode for name in ("plain", "new", "new/inventory")}
    assert len(modes) == 1


def test_sites_of_a_kubeconfig(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each context is a site that is reached by it; the path is whole, or begins at the home folder."""
    (tmp_path / "home" / ".kube").mkdir(parents=True)
    text = (
        "clusters: [{name: c, cluster: {server: 'https://10.0.0.1:6443'}}]\n"
        "contexts: [{name: Shop_1, context: {cluster: c, user: u}}]\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for file, shown in (("home/.kube/config", "~/.kube/config"), ("edge.conf", f"{tmp_path}/edge.conf")):
        (tmp_path / file).write_text(text, encoding="utf-8")
        target = tmp_path / f"from-{pathlib.Path(file).name}"
        founding.found(target, founding.from_kubeconfig(tmp_path / file))
        (site,) = fleets.load(locating.find(target)).fleet.sites.values()
        assert (site.name, site.cluster.endpoint) == ("shop-1", "https://10.0.0.1:6443")
        assert site.access.kube.kubeconfig == f"{shown}#Shop_1"
