"""Programs that are run for what they print: what they get, and how each way to misbehave ends."""

import os
import pathlib
import threading
import time
from typing import Any

import pytest

from fleetctl.reading import processes


def _run(folder: pathlib.Path, script: str, **options: Any) -> processes.Done:  # noqa: ANN401  # passed on
    given: dict[str, Any] = {
        "folder": folder,
        "environment": {"PATH": os.environ["PATH"]},
        "timeout": 20.0,
        "most": 1000,
    }
    return processes.run(["sh", "-c", script], **{**given, **options})


def test_what_a_program_gets_and_says(tmp_path: pathlib.Path) -> None:
    """Its folder, its text, its variables and no others; both streams and the status come back."""
    done = _run(
        tmp_path,
        'pwd; cat; echo "$A $HOME"; echo no >&2; exit 3',
        environment={"PATH": os.environ["PATH"], "A": "a"},
        text=b"in\n",
    )
    assert done == processes.Done(3, f"{tmp_path}\nin\na \n".encode(), b"no\n")
    assert repr(done) == "Done(3)"


def test_without_text_there_is_nothing_to_read(tmp_path: pathlib.Path) -> None:
    """It never waits for a terminal."""
    assert _run(tmp_path, "cat").output == b""


def test_the_last_words_are_kept(tmp_path: pathlib.Path) -> None:
    """However much it complains, memory is bounded, and the end of it is what counts."""
    said = _run(tmp_path, "i=0; while [ $i -lt 9000 ]; do echo complaint $i >&2; i=$((i+1)); done").said
    assert len(said) <= 64 * 1024
    assert said.endswith(b"complaint 8999\n")


@pytest.mark.parametrize(
    ("script", "options", "why"),
    [
        ("while :; do :; done", {"timeout": 0.2}, "time"),
        ("exec >&- 2>&-; while :; do :; done", {"timeout": 0.2}, "time"),
        ("while :; do echo more and more; done", {}, "size"),
    ],
    ids=["endless", "endless without streams", "endless output"],
)
def test_limits(tmp_path: pathlib.Path, script: str, options: dict[str, Any], why: str) -> None:
    """Time and size end it."""
    with pytest.raises(processes.Failed) as caught:
        _run(tmp_path, script, **options)
    assert caught.value.why == why


@pytest.mark.parametrize("words", [["no-such-program"], ["sh\0"], ["."]], ids=["unknown", "null byte", "folder"])
def test_what_cannot_be_started(tmp_path: pathlib.Path, words: list[str]) -> None:
    """The message says why; nothing raises but ``Failed``."""
    with pytest.raises(processes.Failed) as caught:
        processes.run(words, folder=tmp_path, environment={"PATH": os.environ["PATH"]}, timeout=1, most=1)
    assert (caught.value.why, str(caught.value) != "") == ("start", True)


def test_what_it_started_ends_with_it(tmp_path: pathlib.Path) -> None:
    """A child that it leaves behind is killed, not waited for."""
    done = _run(tmp_path, "sleep 600 >/dev/null 2>&1 & echo $!")
    end = time.monotonic() + 20
    while pathlib.Path(f"/proc/{int(done.output)}/cmdline").exists() and time.monotonic() < end:
        if b"sleep" not in pathlib.Path(f"/proc/{int(done.output)}/cmdline").read_bytes():
            break  # a zombie, or somebody else by now
    else:
        assert not pathlib.Path(f"/proc/{int(done.output)}/cmdline").exists()


@pytest.mark.parametrize("script", ["exec sleep 600", "exec >/dev/null 2>&1; sleep 600"])
def test_a_program_may_be_given_up(tmp_path: pathlib.Path, script: str) -> None:
    """Another thread says so; whether it still listens to what the program prints, or only for its end."""
    unwanted = threading.Event()
    threading.Timer(0.05, unwanted.set).start()
    with pytest.raises(processes.Failed) as caught:
        _run(tmp_path, script, timeout=600, unwanted=unwanted)
    assert caught.value.why == "unwanted"


def test_a_program_that_a_signal_ended(tmp_path: pathlib.Path) -> None:
    """The status tells the signal, as ``subprocess`` does."""
    assert _run(tmp_path, "kill -TERM $$").status == -15
