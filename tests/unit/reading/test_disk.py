"""Reading files, and what the operating system refuses."""

import os
import pathlib

from fleetctl.model import codes, problems
from fleetctl.reading import disk


def test_bytes_are_kept(tmp_path: pathlib.Path) -> None:
    """A file is returned as it is, line ends and all."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\n\xff")
    assert disk.read(path, "a.yaml") == (b"\xef\xbb\xbfa: 1\r\n\xff", [])


def _refused(path: pathlib.Path) -> problems.Problem:
    text, found = disk.read(path, "inventory/a.yaml")
    assert text == b""
    assert [problem.mark for problem in found] == [problems.Mark("inventory/a.yaml")]
    assert found[0].code is codes.Code.PROJECT_UNREADABLE
    return found[0]


def test_a_file_that_is_not_there(tmp_path: pathlib.Path) -> None:
    """The reason of the operating system is a problem at the file, under the path that people know."""
    assert _refused(tmp_path / "nope.yaml").message == "cannot be read: No such file or directory"


def test_a_folder(tmp_path: pathlib.Path) -> None:
    """A folder where a file should be is such a problem too."""
    assert _refused(tmp_path).message == "cannot be read: Is a directory"


def test_a_pipe(tmp_path: pathlib.Path) -> None:
    """Opening a pipe would wait for a writer that never comes."""
    os.mkfifo(tmp_path / "a.yaml")
    assert _refused(tmp_path / "a.yaml").message == "cannot be read: it is a pipe or a device"


def test_a_link_to_itself(tmp_path: pathlib.Path) -> None:
    """A loop of links ends in a problem rather than an exception."""
    path = tmp_path / "loop.yaml"
    path.symlink_to(path)
    assert _refused(path).message.startswith("cannot be read: Too many levels of symbolic links")
