"""Asking sites whether they answer: each is asked once, the answers are folded by what they say."""

import asyncio
import pathlib

import pytest

from fleetctl.clusters import answering, connecting
from fleetctl.kube import client, curl, transport
from fleetctl.model import checkups, sites
from fleetctl.sim import behaviours, faults, fleets

NAMES = ("s1", "s2", "s3")


def _asked(folder: pathlib.Path, **wrong: faults.Fault) -> list[answering.Answer]:
    """Ask the sites of a simulated fleet, some of which are not well."""
    with fleets.running(NAMES, folder, behaviours.Behaviours((behaviours.Behaviour(),))) as fleet:
        for name, fault in wrong.items():
            fleet.suffer(name, fault)
        directory = connecting.Directory(folder, folder / fleets.KUBECONFIG)
        endpoints = directory.require(sites.Site(name) for name in NAMES)

        async def work() -> list[answering.Answer]:
            async with curl.CurlTransport() as wire:
                return await answering.ask(wire, endpoints, 2, client.Pace(unreachable=0.0))

        return asyncio.run(work())


def test_sites_that_answer_say_their_version(tmp_path: pathlib.Path) -> None:
    """One line for all of them."""
    found = _asked(tmp_path)
    assert [one.site for one in found] == list(NAMES)
    assert all(one.version.startswith("v1.") and not one.cause for one in found)
    (line,) = answering.told(found)
    assert (line.verdict, line.found) == (checkups.Verdict.OK, f"3x {found[0].version}")


def test_sites_that_do_not_are_told_by_cause(tmp_path: pathlib.Path) -> None:
    """Nobody listens at one, another takes no credentials: two causes, and the third still answers."""
    found = {one.site: one for one in _asked(tmp_path, s1=faults.Fault(refuse=True), s3=faults.Fault(status=401))}
    assert (found["s1"].unreachable, found["s3"].unreachable, found["s2"].cause) == (True, False, "")
    lines = answering.told(found.values())
    assert [one.verdict for one in lines] == [checkups.Verdict.OK, checkups.Verdict.FAIL, checkups.Verdict.FAIL]
    assert sorted(one.found.partition(":")[0] for one in lines[1:]) == ["s1", "s3"]


def test_what_links_and_servers_do_is_told_apart(tmp_path: pathlib.Path) -> None:
    """A link that breaks is out of reach, a certificate that has expired says no, and slowness is no cause."""
    wrong = {"s1": faults.Fault(reset=True), "s2": faults.Fault(expired=True), "s3": faults.Fault(bandwidth=4000)}
    found = {one.site: one for one in _asked(tmp_path, **wrong)}
    assert (found["s1"].unreachable, found["s2"].unreachable) == (True, False)
    assert "CertificateExpired" in found["s2"].cause
    assert (found["s3"].cause, found["s3"].version[:2]) == ("", "v1")


def test_an_answer_that_ends_too_soon_is_none(tmp_path: pathlib.Path) -> None:
    """Half of an answer is taken for nothing."""
    (one, *_) = _asked(tmp_path, s1=faults.Fault(cut=True))
    assert (one.site, one.unreachable, one.version) == ("s1", True, "")


def test_many_with_one_cause_are_one_line() -> None:
    """The number, and one to look at."""
    found = [answering.Answer(f"s{n}", cause="ConnectTimeout", unreachable=True) for n in range(1200)]
    (line,) = answering.told(found)
    assert (line.found, line.remedy) == ("1,200x ConnectTimeout  e.g. s0", "Look closer: fleetctl doctor --site s0")


def test_many_versions_are_counted() -> None:
    """The most common ones are named."""
    found = [answering.Answer(f"s{n}", version=f"v1.{min(n, 5)}.0") for n in range(10)]
    (line,) = answering.told(found)
    assert line.found == "5x v1.5.0, 1x v1.0.0, 1x v1.1.0, 1x v1.2.0 and 2 other versions"


class _Saying:
    """A wire at whose end something says this."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def session(self, _: transport.Endpoint) -> transport.Session:
        """Return itself."""
        return self

    async def send(self, _: transport.Request) -> transport.Answer:
        """Say it."""
        return transport.Answer(200, self._body)

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (b'{"gitVersion":"v1.36.3"}', "v1.36.3"),
        (b'{"gitVersion":"v1\\u001b[2J\\nv2"}', "v1 [2J v2"),
        (b"<html>", ""),
        (b'{"gitVersion":"\xff"}', ""),
        (b'{"gitVersion":' + b"[" * 100_000, ""),
    ],
)
def test_what_calls_itself_a_version_is_one_line(body: bytes, version: str) -> None:
    """Whatever answers at an address: a version that can be shown, or the word that it is no API server."""
    (one,) = asyncio.run(answering.ask(_Saying(body), {"s1": transport.Endpoint("https://s1")}, 1, client.Pace()))
    assert (one.version, bool(one.cause)) == (version, not version)
