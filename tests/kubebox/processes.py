"""Programs that a test run starts and that never outlive it, and the ports they listen on."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence

__all__ = ["Process", "listens", "reserve"]

# klog, then kwok's JSON; gRPC's lines about every lost connection fill pages.
_INFORMS = re.compile(r'I\d{4} |.*"level":"INFO"|.*\[core\] \[Channel')


def reserve() -> socket.socket:
    """Hold a free loopback port until the socket is closed.

    A program that sets SO_REUSEPORT can listen on it all the same, again and again, and nobody else is ever given it.
    While no program listens, connections are refused.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", 0))
    return held


def listens(port: int) -> bool:
    """Tell whether anybody takes connections on a loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Process:
    """One program, its log, and the signals that a test sends it. It is killed when the thread that started it ends."""

    def __init__(self, arguments: Sequence[str | pathlib.Path], log: pathlib.Path) -> None:
        """Describe the program; it does not run yet. What it writes into its home goes beside the log."""
        self._arguments = arguments
        self.log = log
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Tell whether the program runs."""
        return self._running is not None and self._running.poll() is None

    @property
    def pid(self) -> int:
        """The process id; the program must have been started."""
        assert self._running is not None
        return self._running.pid

    def start(self) -> None:
        """Start the program, again if it was ended; its log goes on."""
        assert not self.alive
        # The kernel's rule is about the thread, not the process: only the main one lasts as long as the run.
        assert threading.current_thread() is threading.main_thread(), "start clusters from the main thread"
        self.end()
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *self._arguments],  # noqa: S607 - Debian's, of util-linux
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": os.environ["PATH"], "HOME": str(self.log.parent)},
                start_new_session=True,  # a Ctrl-C is for the test run, which then ends this
            )

    def pause(self) -> None:
        """Freeze the program: it takes connections, as the kernel does that, and never answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen program go on."""
        os.kill(self.pid, signal.SIGCONT)

    def end(self) -> None:
        """Kill the program as a power cut does, and wait until it is gone."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def complaint(self) -> str:
        """Return the log's path and its last lines, those left out that only inform."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        lines = [line[:300] for line in text.splitlines() if not _INFORMS.match(line)]
        return "\n".join([f"{self.log}:", *lines[-5:]])
