"""No value of a secret is in anything that a command says, writes or leaves behind."""

import base64
import os
import pathlib
import tempfile

import hypothesis
import pytest
import typer.testing
from hypothesis import strategies as st

from fleetctl.cli import main
from fleetctl.model import errors, secretrefs
from fleetctl.secrets import projectkeys, providers, resolving
from tests.unit.secrets import keepers

FILES = {
    "fleetctl.yaml": "apiVersion: fleetctl.dev/v1alpha1\nkind: Project\nname: demo\n",
    "inventory/sites.yaml": """\
apiVersion: fleetctl.dev/v1alpha1
kind: SiteList
sites:
- name: store-1
  bundles: {app: {}}
  access: {kube: {kubeconfig: none}}
  vars:
    app:
      a: {secretRef: {provider: file, key: secrets/token}}
      b: {secretRef: {provider: exec, key: [cat, secrets/token]}}
      c: {secretRef: {provider: env, key: FLEETCTL_TEST_TOKEN}}
""",
    "templates/app/bundle.yaml": (
        "apiVersion: fleetctl.dev/v1alpha1\nkind: Bundle\nname: app\nversion: 1.0.0\nnamespace: app\n"
    ),
    "templates/app/a.yaml.j2": """\
apiVersion: v1
kind: Secret
metadata: {name: token, annotations: {a: {{ secret_hash("a") | k }}}}
data: {a: {{ secret("a") | b64enc }}}
stringData: {b: {{ secret("b") | k }}, c: "{{ secret("c") }}"}
""",
}
COMMANDS = (
    "inventory validate",
    "inventory list -o json",
    "inventory show store-1",
    "inventory explain store-1",
    "inventory explain store-1 app.a -o json",
    "render --all",
    "render --all --out -",
    "render --all --out json --format json -o json",
    "rollout plan app --all",
    "keys init --key .fleetctl/key",
    "keys show",
    "keys show -o json",
    "keys init --key .fleetctl/key",
)
# Long enough that it stands nowhere by chance, and no text of a variable that the system refuses.
SECRETS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=8, max_size=40).filter(
    lambda text: text.strip() == text and len(set(text)) > 3
)


def _lay_out(folder: pathlib.Path, value: str) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    kept = folder / "secrets" / "token"
    kept.parent.mkdir()
    kept.write_text(value, encoding="utf-8", newline="")
    kept.chmod(0o600)


def _forms(value: str) -> set[bytes]:
    """Return how a value could be written: as it is, escaped, in base64."""
    raw = value.encode()
    return {raw, base64.b64encode(raw), ascii(value)[1:-1].encode(), repr(raw)[2:-1].encode()}


def _left(folder: pathlib.Path) -> bytes:
    paths = [path for path in folder.rglob("*") if path.is_file() and "secrets" not in path.parts]
    return b"\n".join(path.name.encode() + b"\n" + path.read_bytes() for path in paths)


@hypothesis.settings(max_examples=8, deadline=None)
@hypothesis.given(SECRETS)
def test_no_command_shows_a_secret(value: str) -> None:
    """Not on its streams, not in a file below the project, not in a bug's traceback."""
    with tempfile.TemporaryDirectory() as temporary, pytest.MonkeyPatch.context() as patched:
        folder = pathlib.Path(temporary) / "project"
        _lay_out(folder, value)
        patched.setenv("FLEETCTL_TEST_TOKEN", value)
        patched.setenv("HOME", temporary)
        patched.setattr(tempfile, "tempdir", temporary)
        said = ""
        for command in COMMANDS:
            words = ["-C", str(folder), *command.replace("--out json", f"--out {folder}/json").split()]
            result = typer.testing.CliRunner().invoke(main.app, words, prog_name="fleetctl")
            assert result.exit_code in {0, 8, 9}, (command, result.stderr)
            said += result.stdout + result.stderr
        key = (folder / ".fleetctl" / "key").read_text().strip()
        (folder / ".fleetctl" / "key").unlink()
        everything = said.encode() + _left(pathlib.Path(temporary))
        assert [form for form in _forms(value) if form in everything] == []
        assert key not in said
        assert key.encode() not in everything


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(SECRETS)
def test_no_failure_shows_a_secret(value: str) -> None:
    """A store that holds a value in the wrong form says where, never what."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        _lay_out(folder, value)
        around = keepers.around(
            folder, FLEETCTL_AGE_IDENTITIES=value, VAULT_ADDR="http://127.0.0.1:9", VAULT_TOKEN=value
        )
        (folder / "secrets" / "open").write_text(value)
        (folder / "secrets" / "open").chmod(0o644)
        failing: list[tuple[str, str | tuple[str, ...]]] = [
            ("file", "secrets/open"),
            ("age", "secrets/token"),
            ("vault", "secret/pos#a"),
            ("exec", ("sh", "-c", "cat secrets/token; cat secrets/token >&2; exit 1")),
        ]
        needs = [resolving.Need(secretrefs.Reference(name, key)) for name, key in failing]
        with resolving.Resolver(resolving.shipped(around)) as resolver, pytest.raises(errors.Unresolved) as caught:
            resolver.resolve(needs)
        with pytest.raises(errors.NotConfigured) as malformed:
            projectkeys.parse(resolving.shipped(around)["file"].fetch("secrets/token", None), "here")  # type: ignore[arg-type]  # needs nothing closed
        said = "".join(problem.message for problem in caught.value.problems) + malformed.value.message + repr(around)
        assert len(caught.value.problems) == len(failing)
        assert [form for form in _forms(value) if form in said.encode()] == []


def test_what_children_are_told(tmp_path: pathlib.Path) -> None:
    """A command of ``exec`` finds neither the project's key nor an identity in its environment, nor values in argv."""
    own = dict.fromkeys(providers.OWN_VARIABLES, "own-s3cret")
    around = keepers.around(tmp_path, **own)
    reference = secretrefs.Reference("exec", ("sh", "-c", "env; cat /proc/$$/cmdline"))
    with resolving.Resolver(resolving.shipped(around)) as resolver:
        told = resolver.one(reference).reveal()
    assert b"own-s3cret" not in told
    assert os.fsencode(str(tmp_path)) in told  # its HOME: the environment was read
