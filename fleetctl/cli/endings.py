"""How a command line ends: every error, signal and broken stream becomes an exit code of ``model.exits``.

=====================  ====  ==========================================================================
a ``FleetctlError``          its own code, after its message
a usage error             2  of Typer, in our words
standard output fails     9  a full disk, a closed descriptor; what the command did besides stands
a bug                    70  one line, and a file with the traceback
Ctrl-C                  130  on a terminal by the signal itself, so that a loop of the shell stops too
the reader went away    141  silently
SIGTERM                 143  after clean-up; Python's default would die at once and leave temporary files
=====================  ====  ==========================================================================
"""

from __future__ import annotations

import io
import os
import pathlib
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, NoReturn

import typer

from fleetctl.model import codes, errors, exits

__all__ = ["code_of", "leave", "prepare"]

_OUTPUT_FAILED: Final = exits.Exit.REFUSED


class _Output(io.TextIOWrapper):
    """Standard output whose failures cannot be taken for those of other files, nor be swallowed by Typer."""

    def write(self, text: str) -> int:
        """Write text; raises ``_OutputFailed``."""
        try:
            return super().write(text)
        except OSError as error:
            raise _OutputFailed(error) from None

    def flush(self) -> None:
        """Write what is buffered; raises ``_OutputFailed``."""
        try:
            super().flush()
        except OSError as error:
            raise _OutputFailed(error) from None


class _OutputFailed(Exception):
    def __init__(self, fault: OSError) -> None:
        super().__init__(fault)
        self.fault = fault


class _Terminated(BaseException):
    """SIGTERM arrived; not an ``Exception``, so that nothing but clean-up stands in its way."""


def prepare() -> None:
    """Make the process's streams and signals such that every ending can be told: call once, before anything else.

    Results are UTF-8 wherever they are stored or piped, as JSON and YAML are, whatever the locale says; a terminal gets
    its own encoding, with escapes for what it cannot show.
    """
    signal.signal(signal.SIGTERM, _terminate)
    if sys.stderr is None:
        sys.stderr = pathlib.Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # open to the end
    if sys.stdout is None:
        sys.exit(
            _said(
                lambda: sys.stderr.write(f"standard output is closed  [{codes.Code.OUTPUT_UNWRITABLE}]\n"),
                _OUTPUT_FAILED,
            )
        )
    terminal, buffer = sys.stdout.isatty(), sys.stdout.buffer
    if isinstance(buffer, io.RawIOBase):  # PYTHONUNBUFFERED, with which Python may lose the rest of a long text
        buffer = io.BufferedWriter(buffer)
    sys.stdout = _Output(
        buffer,
        encoding=sys.stdout.encoding if terminal else "utf-8",
        errors="backslashreplace",
        line_buffering=terminal,
    )


def code_of(command: Callable[[], object]) -> int:
    """Run a command line and return its exit code; whatever went wrong has then been said on standard error."""
    try:
        given = _returned(command)
        sys.stdout.flush()
    except errors.FleetctlError as error:
        return _failed(error)
    except typer.TyperException as error:
        return _failed(_usage(error))
    except _OutputFailed as error:
        return _output_failed(error.fault)
    except KeyboardInterrupt:
        return int(exits.Exit.INTERRUPTED)
    except _Terminated:
        return int(exits.Exit.TERMINATED)
    except Exception as error:  # noqa: BLE001  # the last resort for bugs, which must not show a traceback
        return _bug(error)
    return given


def leave(code: int) -> NoReturn:
    """End the process."""
    if code == exits.Exit.INTERRUPTED and sys.stderr.isatty():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    sys.exit(code)


def _returned(command: Callable[[], object]) -> int:
    """Return the code with which Typer ends; completion leaves by ``SystemExit``."""
    try:
        given = command()
    except SystemExit as end:
        given = end.code
    return given if isinstance(given, int) else int(exits.Exit.OK)


def _terminate(_number: int, _frame: object) -> None:
    raise _Terminated


def _failed(error: errors.FleetctlError) -> int:
    from fleetctl.console import failures  # only a failing command pays for it

    return _said(lambda: failures.show(error, sys.stderr), error.exit)


def _bug(error: Exception) -> int:
    from fleetctl.console import failures

    return _said(lambda: failures.show_bug(error, sys.stderr), exits.Exit.INTERNAL)


def _usage(error: Any) -> errors.UsageError:  # noqa: ANN401  # subclasses add attributes that are not public
    """Put a usage error of Typer into our form."""
    text = error.format_message().rstrip(".").replace("Value error, ", "").replace("\n\t", " ")
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "fleetctl"
    return errors.UsageError(codes.Code.USAGE, f"{path}: {text[:1].lower()}{text[1:]}", f"See: {path} --help")


def _output_failed(fault: OSError) -> int:
    _discard(sys.stdout)
    if isinstance(fault, BrokenPipeError):
        return int(exits.Exit.BROKEN_PIPE)
    text = f"standard output cannot be written: {fault.strerror}  [{codes.Code.OUTPUT_UNWRITABLE}]\n"
    return _said(lambda: sys.stderr.write(text), _OUTPUT_FAILED)


def _said(speak: Callable[[], object], code: exits.Exit) -> int:
    """Speak on standard error, which may be gone: the exit code still tells."""
    try:
        speak()
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)
    return int(code)


def _discard(stream: Any) -> None:  # noqa: ANN401  # a text stream of the process, or what a test put there
    """Point a stream that fails elsewhere, so that the interpreter's own flush at exit does not complain too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
