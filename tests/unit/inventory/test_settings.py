"""Defaults of flags: which layer counts, where each value is from, and that the records and the file agree."""

import dataclasses
import pathlib

import pytest

from fleetctl.inventory import settings as loading
from fleetctl.model import errors, plans, settings
from fleetctl.schema import fields, shapes

HEAD = "apiVersion: fleetctl.dev/v1alpha1\n"


def _write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + text, encoding="utf-8")


def _load(folder: pathlib.Path, user: str = "", project: str = "", **environment: str) -> settings.Settings:
    """Load what a user's file, a project's file and the environment say of flags; each is a flow map, or nothing."""
    if user:
        _write(folder / "home" / "fleetctl" / "config.yaml", f"kind: Settings\nflags: {user}\n")
    if project:
        _write(folder / "project" / "fleetctl.yaml", f"kind: Project\nname: demo\nflags: {project}\n")
    environment = {"XDG_CONFIG_HOME": str(folder / "home"), **environment}
    return loading.load(environment, folder / "project" if project else None)


@pytest.mark.parametrize(
    ("user", "project", "environment", "value", "layer"),
    [
        ("", "", {}, 256, settings.Layer.BUILT_IN),
        ("", "{concurrency: 1}", {}, 1, settings.Layer.PROJECT),
        ("{concurrency: 2}", "{concurrency: 1}", {}, 2, settings.Layer.USER),
        ("{concurrency: 2}", "{concurrency: 1}", {"FLEETCTL_CONCURRENCY": "3"}, 3, settings.Layer.ENVIRONMENT),
        ("{concurrency: 2}", "", {"FLEETCTL_CONCURRENCY": ""}, 2, settings.Layer.USER),
        ("{timeout: 1m}", "{concurrency: 1}", {}, 1, settings.Layer.PROJECT),
    ],
    ids=["built in", "project", "user", "environment", "empty variable", "another key"],
)
def test_the_nearest_layer_counts(
    tmp_path: pathlib.Path,
    user: str,
    project: str,
    environment: dict[str, str],
    *,
    value: str | int,
    layer: settings.Layer,
) -> None:
    """Environment, then the user's file, then the project's, then what is built in."""
    found = {one.name: one for one in _load(tmp_path, user, project, **environment).found}
    assert (found["concurrency"].value, found["concurrency"].layer) == (value, layer)


def test_places_are_variables_and_lines(tmp_path: pathlib.Path) -> None:
    """What is shown is what one would open or unset."""
    found = _load(tmp_path, "{output: wide}", "{timeout: 5m}", FLEETCTL_EVENTS="e.jsonl").found
    assert [one.place for one in found] == [
        f"{tmp_path}/home/fleetctl/config.yaml:3:17",
        "FLEETCTL_EVENTS",
        "",
        "",
        "fleetctl.yaml:4:18",
    ]


def test_paths_are_relative_to_where_they_are_written(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file's to the file, a variable's to the working folder; ``~`` is the home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    said = _load(tmp_path, "{events: ~/e.jsonl}", "{strategy: ../s.yaml, events: e}")
    assert (said.showing.events, said.running.strategy) == (str(tmp_path / "e.jsonl"), str(tmp_path / "s.yaml"))
    assert _load(tmp_path, FLEETCTL_STRATEGY="s.yaml").running.strategy == "s.yaml"


@pytest.mark.parametrize("named", ["", "relative/path"])
def test_a_relative_home_of_settings_does_not_count(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    """As the XDG Base Directory Specification has it."""
    monkeypatch.setenv("HOME", "/home/kari")
    assert loading.user_file({"XDG_CONFIG_HOME": named}) == pathlib.Path("/home/kari/.config/fleetctl/config.yaml")


def test_a_broken_project_is_not_judged_here(tmp_path: pathlib.Path) -> None:
    """Whoever opens the project says what is wrong with it; what does not need it goes on."""
    assert _load(tmp_path, project="{concurrency: 0}").running.concurrency is None


@pytest.mark.parametrize("name", sorted(settings.NEVER))
def test_what_waves_through_is_never_a_setting(tmp_path: pathlib.Path, name: str) -> None:
    """Neither as a key, however it is spelled, nor as a variable."""
    variable = "FLEETCTL_" + "".join(f"_{letter}" if letter.isupper() else letter for letter in name).upper()
    with pytest.raises(errors.UsageError, match="can never be a default"):
        _load(tmp_path, **{variable: "1"})
    with pytest.raises(errors.InvalidInput, match="can never be a default"):
        _load(tmp_path, f'{{"{name}": 1}}')


def test_the_file_has_the_keys_and_values_of_the_records() -> None:
    """What a file may set is what there is to set, and what is built in is the shipped strategy's."""
    assert list(shapes.Flags.model_fields) == [flag.name for flag in settings.FLAGS]
    shipped, flags = plans.Strategy(), shapes.Flags()
    assert (flags.concurrency, fields.seconds_of(flags.timeout)) == (shipped.concurrency, shipped.site_timeout)
    told = {flag.name: flag.built_in for flag in settings.FLAGS if flag.built_in}
    assert told == {name: getattr(flags, name) for name in told}


def test_every_setting_has_a_unit_and_none_is_set() -> None:
    """The groups are empty until something is found."""
    assert all(flag.unit for flag in settings.FLAGS)
    assert all(
        value is None for group in ("showing", "running") for value in _values(getattr(settings.Settings(), group))
    )


def _values(group: settings.Showing | settings.Running) -> list[object]:
    return [getattr(group, field.name) for field in dataclasses.fields(group)]
