"""A rollout over a fleet some of whose servers are hostile: they fail as the contract says, and nobody else notices."""

import base64
import contextlib
import json
import pathlib

import msgspec

from fleetctl.sim import fleets
from fleetctl.state import checking, databases, runs
from tests.unit.cli import simulated
from tests.unit.kube import hostiles, wires

GOOD = ("s1", "s2", "s3")
_MESSAGE = f"\x1b]0;owned\x07\x1b[2Jno such user: {hostiles.TOKEN}"
_FORBIDDEN = msgspec.json.encode({"kind": "Status", "reason": "Forbidden", "message": _MESSAGE})
_NAMED = msgspec.json.encode({"metadata": {"name": _MESSAGE, "uid": _MESSAGE, "resourceVersion": "1"}})
HOSTILE = {
    "endless": (hostiles.said(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536), "failed", "AnswerTooLarge"),
    "garbage": (hostiles.said(b"\0" * 5000), "failed", "NotHTTP"),
    "half": (hostiles.said(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), "unreachable", "ConnectionClosed"),
    "loop": (wires.answering(wires.answer(_NAMED)), "failed", "ForeignParent"),
    "page": (wires.answering(wires.answer(b"<!doctype html>")), "failed", "UnreadableAnswer"),
    "rude": (wires.answering(wires.answer(_FORBIDDEN, 403)), "failed", "Forbidden"),
    "turn": (wires.answering(wires.answer(b"", 307, "Location: https://127.0.0.1:1/\r\n")), "failed", "HTTP307"),
}
"""What each does, how its site ends, and for what reason."""


def _introduce(folder: pathlib.Path, servers: dict[str, wires.Server], authority: bytes) -> None:
    """Write hostile servers into a simulated fleet's kubeconfig."""
    config = json.loads((folder / fleets.KUBECONFIG).read_bytes())
    for name, server in servers.items():
        trusted = base64.b64encode(authority).decode()
        config["clusters"].append(
            {"name": name, "cluster": {"server": server.url, "certificate-authority-data": trusted}}
        )
        config["users"].append({"name": name, "user": {"token": hostiles.TOKEN}})
        config["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    (folder / fleets.KUBECONFIG).write_text(json.dumps(config), encoding="utf-8")


def test_hostile_sites_cost_nobody_else_anything(tmp_path: pathlib.Path) -> None:
    """Each ends by itself; the others are changed, the journal holds together, and no word of theirs moves a cursor."""
    authority = wires.Authority("theirs")
    with contextlib.ExitStack() as stack:
        shop = stack.enter_context(simulated.opened(tmp_path, GOOD))
        pair = authority.server()
        servers = {name: stack.enter_context(wires.Server(pair, serve)) for name, (serve, _, _) in HOSTILE.items()}
        _introduce(tmp_path / ".fleetctl" / "sim", servers, authority.certificate)
        simulated.lay_out(shop, (*GOOD, *HOSTILE))
        shop.write("all.yaml", "kind: Strategy\nwaves: [{}]\nsoak: 0s\nmaxFailed: 100%\nmaxUnreachable: 100%\n")
        said = shop.run("rollout", "start", "app", "--all", "--yes", "--strategy", str(tmp_path / "all.yaml"))
        assert said.exit_code == 6, said.stderr
        for words in (said, *(shop.run("why", site) for site in HOSTILE), shop.run("rollout", "status", "-o", "wide")):
            assert "\x1b" not in words.output
            assert hostiles.TOKEN not in words.output
        journal = tmp_path / ".fleetctl" / "sim" / "state.db"
        with databases.open_store(journal) as store:
            assert store.read(checking.check) == []
            (run,) = store.read(lambda conn: runs.all_of(conn, None))
            rows = store.read(lambda conn: runs.sites(conn, run.id))
        found = {row.site: (str(row.outcome), row.cause.reason if row.cause else "") for row in rows}
        assert found == {
            **dict.fromkeys(GOOD, ("changed", "")),
            **{name: (outcome, reason) for name, (_, outcome, reason) in HOSTILE.items()},
        }
        assert hostiles.TOKEN.encode() not in journal.read_bytes()
