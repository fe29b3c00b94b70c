"""The project's key: what it makes of secrets, and which keys are refused."""

import base64
import pathlib
import pickle

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.model import codes, errors, projects, secretrefs
from fleetctl.secrets import masking, projectkeys, resolving
from tests.unit.secrets import keepers

KEPT = masking.Secret(base64.b64encode(bytes(range(32))))
KEY = projectkeys.parse(KEPT, "here")
REFERENCE = secretrefs.Reference("env", "A")


def _project(folder: pathlib.Path, identity: str = KEY.id, key: str = "key") -> projects.Project:
    place = projects.KeyPlace(identity, secretrefs.Reference("file", key))
    return projects.Project("demo", folder, folder, folder, place)


def _loaded(folder: pathlib.Path, project: projects.Project, **variables: str) -> projectkeys.Key:
    around = keepers.around(folder, **variables)
    with resolving.Resolver(resolving.shipped(around)) as resolver:
        return projectkeys.load(project, around, resolver)


def _keep(path: pathlib.Path, kept: bytes) -> None:
    path.write_bytes(kept)
    path.chmod(0o600)


def test_known_answers() -> None:
    """Id and fingerprint never change for a key: they stand in files and journals (computed with openssl dgst -mac)."""
    assert KEY.id == "pk-7abc65a19bb2067f"
    assert KEY.fingerprint(REFERENCE, masking.Secret(b"x")) == (
        "00e5fa9c8f5121ff9f4912e6722009c2a94fdf5908544adc8d1e7ec921cfb902"
    )


def test_new_keys_differ() -> None:
    """Each is 32 bytes in base64, and another one."""
    made = [projectkeys.create() for _ in range(3)]
    assert len({projectkeys.parse(one, "here").id for one in made}) == 3
    assert {len(base64.b64decode(one.reveal())) for one in made} == {32}


@hypothesis.given(st.binary(min_size=1), st.binary(min_size=1), st.sampled_from("AB"), st.sampled_from("AB"))
def test_fingerprints_tell_values_and_references_apart(one: bytes, two: bytes, a: str, b: str) -> None:
    """Equal for the same value of the same reference only; another key gives another one."""
    prints = [
        KEY.fingerprint(secretrefs.Reference("env", key), masking.Secret(value)) for key, value in ((a, one), (b, two))
    ]
    assert (prints[0] == prints[1]) == ((a, one) == (b, two))
    other = projectkeys.Key(bytes(32))
    assert other.fingerprint(secretrefs.Reference("env", a), masking.Secret(one)) != prints[0]


def test_a_key_shows_its_id_only() -> None:
    """It prints as its id and cannot be pickled."""
    assert repr(KEY) == f"{KEY}" == f"Key({KEY.id})"
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


@pytest.mark.parametrize("kept", [b"", b"text", b"!!!!", base64.b64encode(bytes(31)), base64.b64encode(bytes(33))])
def test_what_is_no_key(kept: bytes) -> None:
    """Anything but 32 bytes in base64 is refused, and not quoted."""
    with pytest.raises(errors.NotConfigured) as caught:
        projectkeys.parse(masking.Secret(kept), "here")
    assert caught.value.code is codes.Code.KEY_MALFORMED
    assert not kept or kept.decode() not in caught.value.message


def test_the_key_is_found(tmp_path: pathlib.Path) -> None:
    """Where fleetctl.yaml says, unless the variable gives it."""
    _keep(tmp_path / "key", KEPT.reveal() + b"\n")
    assert _loaded(tmp_path, _project(tmp_path)).id == KEY.id
    given = _loaded(tmp_path, _project(tmp_path, key="none"), FLEETCTL_PROJECT_KEY=KEPT.reveal().decode())
    assert given.id == KEY.id


def test_a_key_that_does_not_do(tmp_path: pathlib.Path) -> None:
    """None, another one and one that is not there end a command with 8, each by its code."""
    _keep(tmp_path / "key", base64.b64encode(bytes(32)))
    nowhere = projects.Project("demo", tmp_path, tmp_path, tmp_path)
    cases = [
        (nowhere, codes.Code.KEY_MISSING),
        (_project(tmp_path), codes.Code.KEY_WRONG),
        (_project(tmp_path, key="none"), codes.Code.SECRET_NOT_FOUND),
    ]
    for project, code in cases:
        with pytest.raises(errors.NotConfigured) as caught:
            _loaded(tmp_path, project)
        assert (caught.value.code, caught.value.exit) == (code, 8)
