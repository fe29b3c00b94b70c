"""Commands that know secrets: bounded, alone, and told nothing they need not know."""

import contextlib
import pathlib
import signal

import pytest

from fleetctl.model import codes
from fleetctl.secrets import commands, masking, providers
from tests.unit.secrets import keepers


def _fault(folder: pathlib.Path, *words: str, timeout: float = 30.0, **variables: str) -> providers.Fault:
    provider = commands.Exec(keepers.around(folder, **variables), timeout)
    with contextlib.ExitStack() as stack, pytest.raises(providers.Fault) as caught:
        provider.fetch(words, stack)
    assert caught.value.__cause__ is None
    return caught.value


def test_no_shell_takes_part(tmp_path: pathlib.Path) -> None:
    """Words arrive as they are."""
    done = commands.run(keepers.around(tmp_path), ["printf", "%s|", "$HOME", "a b", "*", ";id"])
    assert (done.status, done.output) == (0, b"$HOME|a b|*|;id|")
    assert b"HOME" not in repr(done).encode()


def test_own_secrets_stay_with_us(tmp_path: pathlib.Path) -> None:
    """A command gets the environment without the variables that hold fleetctl's own secrets."""
    own = dict.fromkeys(providers.OWN_VARIABLES, "own-s3cret")
    done = commands.run(keepers.around(tmp_path, **own, VAULT_TOKEN="its-own"), ["env"])  # noqa: S106  # an example
    assert b"own-s3cret" not in done.output
    assert b"VAULT_TOKEN=its-own" in done.output


def test_it_runs_in_the_project_without_input(tmp_path: pathlib.Path) -> None:
    """Paths are the project's; a command that would ask gets an end of input."""
    done = commands.run(keepers.around(tmp_path), ["sh", "-c", "pwd; cat"])
    assert done.output.decode().strip() == str(tmp_path)


def test_a_command_that_fails(tmp_path: pathlib.Path) -> None:
    """The status is told; neither output nor standard error are."""
    fault = _fault(tmp_path, "sh", "-c", "echo s3cret; echo s3cret >&2; exit 3")
    assert (fault.code, fault.message) == (
        codes.Code.SECRET_UNAVAILABLE,
        "sh ended with 3; run it by hand to see what it says",
    )
    killed = _fault(tmp_path, "sh", "-c", "kill -TERM $$")
    assert killed.message.startswith(f"sh was killed by signal {signal.SIGTERM:d}")


def test_a_command_that_does_not_end(tmp_path: pathlib.Path) -> None:
    """It is killed with all it started, even if a grandchild keeps the pipe open."""
    marker = tmp_path / "late"
    fault = _fault(tmp_path, "sh", "-c", f"(sleep 600; touch {marker}) & wait", timeout=0.2)
    assert (fault.code, fault.message) == (codes.Code.SECRET_UNAVAILABLE, "sh took more than 0.2 s")
    silent = _fault(tmp_path, "sh", "-c", "exec >&-; sleep 600", timeout=0.2)
    assert silent.message == "sh took more than 0.2 s"


def test_a_command_without_end_of_output(tmp_path: pathlib.Path) -> None:
    """It is stopped at the size that a secret may have."""
    fault = _fault(tmp_path, "yes")
    assert (fault.code, fault.message) == (codes.Code.SECRET_BAD_VALUE, "the output of yes is larger than 1 MiB")


def test_a_command_that_is_not_there(tmp_path: pathlib.Path) -> None:
    """It is named."""
    fault = _fault(tmp_path, "./none")
    assert (fault.code, fault.message) == (
        codes.Code.SECRET_NOT_CONFIGURED,
        "./none cannot be run: No such file or directory",
    )
    assert _fault(tmp_path, "a\0b").code is codes.Code.SECRET_NOT_CONFIGURED


def test_bytes_are_a_secret_too(tmp_path: pathlib.Path) -> None:
    """What is no text keeps its line end."""
    with contextlib.ExitStack() as stack:
        found = commands.Exec(keepers.around(tmp_path)).fetch(("printf", r"\377\n"), stack)
    assert found == masking.Secret(b"\xff\n")
