"""Making the project's key: where it goes, what is written into fleetctl.yaml, and what is never written over."""

import base64
import contextlib
import os
import pathlib
import stat

import pyrage
import pytest

from fleetctl.inventory import locating
from fleetctl.model import codes, errors, secretrefs
from fleetctl.secrets import keeping, masking, projectkeys, resolving
from tests.unit.secrets import keepers

SETTINGS = "# ours\napiVersion: fleetctl.dev/v1alpha1\nkind: Project\nname: demo   # kept\n"


def _project(folder: pathlib.Path, settings: str = SETTINGS) -> pathlib.Path:
    root = folder / "project"
    (root / "inventory").mkdir(parents=True)
    (root / "fleetctl.yaml").write_text(settings)
    (root / "fleetctl.yaml").chmod(0o644)
    return root


def _init(root: pathlib.Path, provider: str, key: str | None = None, *recipients: str, **variables: str) -> str:
    """Make a key, and return its id after it was found again by what fleetctl.yaml says now."""
    variables = {"HOME": str(root.parent / "home"), **variables}
    around = keepers.around(root, **variables)
    project = locating.find(root)
    place = keeping.place_of(provider, key, project)
    made = keeping.init(project, root / "fleetctl.yaml", place, around, recipients)
    with resolving.Resolver(resolving.shipped(around)) as resolver:
        assert projectkeys.load(locating.find(root), around, resolver).id == made.id
    return made.id


def _refused(root: pathlib.Path, *given: str | None, **variables: str) -> errors.FleetctlError:
    before = (root / "fleetctl.yaml").read_bytes()
    with pytest.raises(errors.FleetctlError) as caught:
        _init(root, *given, **variables)  # type: ignore[arg-type]  # as a test gives them
    assert (root / "fleetctl.yaml").read_bytes() == before
    return caught.value


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS.removesuffix("\n"), SETTINGS + "\n# the end\n"])
def test_a_file(settings: str, tmp_path: pathlib.Path) -> None:
    """By default in the home folder, for its owner alone; fleetctl.yaml keeps every line and its rights."""
    root = _project(tmp_path, settings)
    identity = _init(root, "file")
    kept = tmp_path / "home/.config/fleetctl/keys/demo.key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    written = (root / "fleetctl.yaml").read_text()
    lines = (
        f"projectKey:\n  id: {identity}\n"
        '  keptIn: {secretRef: {provider: file, key: "~/.config/fleetctl/keys/demo.key"}}\n'
    )
    assert written == settings.removesuffix("\n") + "\n" + lines
    assert stat.S_IMODE((root / "fleetctl.yaml").stat().st_mode) == 0o644


def test_a_variable(tmp_path: pathlib.Path) -> None:
    """The key that it holds is taken: a new one could be handed over on the screen only."""
    given = base64.b64encode(os.urandom(32)).decode()
    identity = _init(_project(tmp_path), "env", "KEY", KEY=given)
    assert identity == projectkeys.parse(masking.Secret(given.encode()), "").id


def test_an_age_file(tmp_path: pathlib.Path) -> None:
    """Encrypted for everybody named; it may lie in the project, and holds nothing that could be read."""
    one, two = (pyrage.x25519.Identity.generate() for _ in range(2))
    root = _project(tmp_path)
    given = {"FLEETCTL_AGE_IDENTITIES": str(two)}
    _init(root, "age", None, str(one.to_public()), str(two.to_public()), **given)
    assert (root / "project-key.age").read_bytes().startswith(b"-----BEGIN AGE ENCRYPTED FILE-----")


def test_a_keyring(tmp_path: pathlib.Path) -> None:
    """Under the project's name; what is there already stays."""
    with keepers.KEEPERS["keyring"](tmp_path, b"other") as keeper:
        root = _project(tmp_path)
        _init(root, "keyring")
        with contextlib.ExitStack() as stack:
            assert len(keeper.provider.fetch("fleetctl/demo", stack).reveal()) == 44
        other = _project(tmp_path / "other")
        assert _refused(other, "keyring").code is codes.Code.KEY_EXISTS


def test_what_is_refused(tmp_path: pathlib.Path) -> None:
    """A second key, a place that is taken, one in git, one that cannot be written; fleetctl.yaml stays as it was."""
    root = _project(tmp_path)
    (tmp_path / "taken").write_text("other")
    (root / ".fleetctl").write_text("a file")
    cases: list[tuple[codes.Code, list[str | None]]] = [
        (codes.Code.KEY_EXISTS, ["file", str(tmp_path / "taken")]),
        (codes.Code.USAGE, ["file", "key"]),
        (codes.Code.USAGE, ["file", ""]),
        (codes.Code.KEY_UNWRITABLE, ["file", str(tmp_path / "taken" / "key")]),
        (codes.Code.USAGE, ["age", None]),
        (codes.Code.USAGE, ["age", None, "age1nobody"]),
        (codes.Code.SECRET_NOT_FOUND, ["env", "NOT_SET"]),
        (codes.Code.USAGE, ["env", "NOT A NAME"]),
    ]
    for code, given in cases:
        assert _refused(root, *given).code is code, given
    assert _refused(root, "env", "KEY", KEY="short").code is codes.Code.KEY_MALFORMED
    assert (tmp_path / "taken").read_text() == "other"
    _init(root, "file")
    assert _refused(root, "file", str(tmp_path / "new")).code is codes.Code.KEY_EXISTS
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "settings",
    [
        "{apiVersion: fleetctl.dev/v1alpha1, kind: Project, name: demo}\n",
        SETTINGS + "...\n",
        "  " + "\n  ".join(SETTINGS.splitlines()) + "\n",
    ],
)
def test_settings_that_take_no_more_lines(settings: str, tmp_path: pathlib.Path) -> None:
    """Nothing is written, and no key is left lying around."""
    root = _project(tmp_path, settings)
    assert _refused(root, "file").code is codes.Code.KEY_UNWRITABLE
    assert not (tmp_path / "home").exists()


def test_places_by_default(tmp_path: pathlib.Path) -> None:
    """Each provider has one."""
    project = locating.find(_project(tmp_path))
    assert [keeping.place_of(one, None, project) for one in keeping.PROVIDERS] == [
        secretrefs.Reference("file", "~/.config/fleetctl/keys/demo.key"),
        secretrefs.Reference("env", "FLEETCTL_PROJECT_KEY"),
        secretrefs.Reference("age", "project-key.age"),
        secretrefs.Reference("keyring", "fleetctl/demo"),
    ]
