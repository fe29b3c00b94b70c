"""Credential plugins, as real programs: what they are given, how often they run, and what they print."""

import asyncio
import base64
import concurrent.futures
import datetime as dt
import json
import os
import pathlib
import sys
from typing import Any

import msgspec
import pytest
import rich.pretty

from fleetctl.kube import curl, endpoints, plugins, refusals, transport
from fleetctl.model import codes, errors
from tests.unit.kube import wires

CA = wires.Authority("ours")
PAIR = CA.server()
SECRET = "s3cretw0rd"  # noqa: S105  # that is the point
GROUP = "client.authentication.k8s.io"
NOW = 1_000_000.0


class Clock:
    """A clock on the wall that stands until it is moved."""

    def __init__(self) -> None:
        """Begin at a time that is easy to read."""
        self.now = NOW

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def _program(folder: pathlib.Path, text: str) -> pathlib.Path:
    """Write a plugin that notes each of its runs and does what is said."""
    path = folder / "plugin"
    counting = f"import json, os, sys\nopen({str(folder / 'runs')!r}, 'a').write('x')\n"
    path.write_text(f"#!{sys.executable}\n{counting}{text}\n", encoding="utf-8")
    path.chmod(0o700)
    return path


def _runs(folder: pathlib.Path) -> int:
    path = folder / "runs"
    return len(path.read_text(encoding="utf-8")) if path.exists() else 0


def _credential(version: str = "v1", **status: object) -> str:
    said = {"apiVersion": f"{GROUP}/{version}", "kind": "ExecCredential", "status": status}
    return f"print({json.dumps(said)!r})"


def _stamp(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat().replace("+00:00", "Z")


def _invocation(path: pathlib.Path, *words: str, **environment: str) -> plugins.Invocation:
    return plugins.Invocation("v1", (str(path), *words), tuple(environment.items()), b"{}", "plugin")


def _one(path: pathlib.Path, *words: str, clock: Clock | None = None, **environment: str) -> plugins.Plugin:
    return plugins.Plugins(clock or Clock()).plugin(_invocation(path, *words, **environment))


def _fault(plugin: plugins.Plugin) -> str:
    with pytest.raises(transport.Broken) as caught:
        asyncio.run(plugin.current())
    assert (caught.value.kind, caught.value.sent) == ("no-credential", False)
    assert SECRET not in f"{caught.value!r}{caught.value.message}"
    return caught.value.message


# --- what comes of it


def test_a_token_is_taken_once(tmp_path: pathlib.Path) -> None:
    """A thousand sites that ask at once, and more later, cost one run; the token has no end and is kept."""
    plugin = _one(_program(tmp_path, _credential(token=SECRET)))

    async def ask() -> set[str]:
        return {one.token for one in await asyncio.gather(*(plugin.current() for _ in range(1000)))}

    assert plugin.held() is None
    assert (asyncio.run(ask()), asyncio.run(ask()), _runs(tmp_path)) == ({SECRET}, {SECRET}, 1)
    assert plugin.held() == transport.Proof(SECRET)


def test_one_site_that_gives_up_does_not_end_it(tmp_path: pathlib.Path) -> None:
    """Who waits along gets the credential, though the first that asked is gone."""
    plugin = _one(_program(tmp_path, _credential(token=SECRET)))

    async def ask() -> str:
        first, second = (asyncio.ensure_future(plugin.current()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        return (await second).token

    assert (asyncio.run(ask()), _runs(tmp_path)) == (SECRET, 1)


def _hanging(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Return a plugin that waits for ever, as does what it starts, and a pipe that ends when both are gone."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    text = f"""
import subprocess
held = os.open({str(pipe)!r}, os.O_WRONLY)
subprocess.Popen(["sleep", "600"], pass_fds=[held], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
os.write(held, b"on")
subprocess.run(["sleep", "600"])
"""
    return _program(folder, text), pipe


async def _given_up(plugin: plugins.Plugin, pipe: pathlib.Path) -> bytes:
    """Wait for a plugin, go away once it runs, and return what came through its pipe until it and its child died."""
    waiting = [asyncio.ensure_future(plugin.current()) for _ in range(3)]
    with await asyncio.to_thread(pipe.open, "rb") as held:
        assert await asyncio.to_thread(held.read, 2) == b"on"
        for one in waiting:
            assert not one.done()
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return await asyncio.to_thread(held.read)


def test_it_ends_with_the_last_who_waits(tmp_path: pathlib.Path) -> None:
    """Whoever interrupts a command does not wait for a plugin's time to be over, nor is anything left of it."""
    path, pipe = _hanging(tmp_path)
    plugin = plugins.Plugins(Clock(), timeout=600).plugin(_invocation(path))
    assert asyncio.run(_given_up(plugin, pipe)) == b""
    assert plugin.held() is None
    assert plugin.refuse(transport.Proof())
    _program(tmp_path, _credential(token=SECRET))
    assert asyncio.run(plugin.current()).token == SECRET
    assert _runs(tmp_path) == 2


def test_a_loop_that_ends_gives_it_up(tmp_path: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An interrupt ends the loop before the plugin; nothing is said about that, and the threads come to their end."""
    path, pipe = _hanging(tmp_path)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        plugin = plugins.Plugin(_invocation(path), pool, Clock(), 600)

        async def interrupted() -> None:
            waiting = asyncio.ensure_future(plugin.current())
            with await asyncio.to_thread(pipe.open, "rb"):
                assert not waiting.done()
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            asyncio.run(interrupted())
    assert capfd.readouterr() == ("", "")


def test_client_certificates_are_taken(tmp_path: pathlib.Path) -> None:
    """Certificate and key are PEM in the status, not base64 of it."""
    pair = CA.client("rollout")
    said = _credential(clientCertificateData=pair.certificate.decode(), clientKeyData=pair.key.decode())
    proof = asyncio.run(_one(_program(tmp_path, said)).current())
    assert (proof.token, proof.client_cert, proof.client_key) == ("", pair.certificate, pair.key)


@pytest.mark.parametrize(("life", "held"), [(3600, 3540), (100, 80)])
def test_a_credential_is_asked_anew_before_its_end(tmp_path: pathlib.Path, life: int, held: int) -> None:
    """A minute before, or a fifth of a short life."""
    clock = Clock()
    ends = _stamp(NOW + life)
    plugin = _one(_program(tmp_path, _credential(token=SECRET, expirationTimestamp=ends)), clock=clock)
    asyncio.run(plugin.current())
    clock.now = NOW + held - 1
    asyncio.run(plugin.current())
    assert _runs(tmp_path) == 1
    clock.now = NOW + held
    assert plugin.held() is None
    assert asyncio.run(plugin.current()).token == SECRET
    assert _runs(tmp_path) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"sys.stderr.write('{SECRET}x\\nno session: log in\\n'); sys.exit(3)", "exit code 3: no session: log in"),
        (f"print('{SECRET}'); sys.stderr.write('bad {SECRET}\\x1b[1m\\n'); sys.exit(1)", "exit code 1: bad ***"),
        (f"print('{SECRET}'); sys.exit(1)", "exit code 1"),
        ("sys.stderr.write(os.environ['KEY'] + sys.argv[2]); sys.exit(1)", "exit code 1: ******"),
        ("os.kill(os.getpid(), 9)", "signal 9"),
        (f"print('{SECRET}')", "no ExecCredential"),
        (f"print(json.dumps({{'status': {{'token': '{SECRET}'}}}}))", "no ExecCredential of"),
        (_credential("v1beta1", token=SECRET), "no ExecCredential of client.authentication.k8s.io/v1,"),
        (_credential(), "neither a token nor"),
        (_credential(token=f"{SECRET}\r\nX: y"), "its token holds"),
        (_credential(clientKeyData=SECRET), "needs its key"),
        (_credential(clientKeyData=SECRET, clientCertificateData=SECRET), "not PEM"),
        (_credential(token=SECRET, expirationTimestamp=_stamp(NOW - 1)), "expired already"),
        (_credential(token=SECRET, expirationTimestamp="2033-01-01T00:00:00"), "no time zone"),
        (_credential(token=SECRET, expirationTimestamp="soon"), "no ExecCredential"),
        (f"print('{SECRET}' * 200000)", "more than 1 MiB"),
    ],
)
def test_what_goes_wrong_is_said(tmp_path: pathlib.Path, text: str, words: str) -> None:
    """In words, with what it says on standard error; of what it prints, and of what is secret, nothing."""
    plugin = _one(_program(tmp_path, text), f"--client-secret={SECRET}", SECRET, "--token", SECRET, KEY=SECRET)
    message = _fault(plugin)
    assert message.startswith("plugin: ")
    assert words in message
    assert "\x1b" not in message


def test_a_failure_is_kept_for_a_while(tmp_path: pathlib.Path) -> None:
    """Thousands of sites do not start a broken plugin each; half a minute later it is tried again."""
    clock = Clock()
    plugin = _one(_program(tmp_path, "sys.exit(1)"), clock=clock)
    assert {_fault(plugin) for _ in range(5)} == {"plugin: it ended with exit code 1"}
    assert _runs(tmp_path) == 1
    clock.now += 30
    _fault(plugin)
    assert _runs(tmp_path) == 2


def test_it_has_only_so_long(tmp_path: pathlib.Path) -> None:
    """A plugin that waits for somebody is ended."""
    path = _program(tmp_path, "import time; time.sleep(600)")
    plugin = plugins.Plugins(Clock(), timeout=0.2).plugin(_invocation(path))
    assert _fault(plugin) == "plugin: it took more than 0.2 s"


def test_a_plugin_that_vanished_is_said(tmp_path: pathlib.Path) -> None:
    """It was there when the kubeconfig was read."""
    assert "cannot be started: No such file" in _fault(_one(tmp_path / "gone"))


def test_equal_invocations_share_a_plugin(tmp_path: pathlib.Path) -> None:
    """Command, arguments, variables and what it is told: one credential for all that are equal."""
    path = tmp_path / "p"
    shared = plugins.Plugins()
    assert shared.plugin(_invocation(path, "a", B="c")) is shared.plugin(_invocation(path, "a", B="c"))
    assert shared.plugin(_invocation(path, "a")) is not shared.plugin(_invocation(path, "b"))
    assert shared.plugin(_invocation(path, B="c")) is not shared.plugin(_invocation(path, B="d"))


def test_nothing_shows_what_is_secret(tmp_path: pathlib.Path) -> None:
    """Not a log line, nor a traceback drawn with its variables."""
    invocation = _invocation(tmp_path, SECRET, KEY=SECRET)
    shown = [invocation, plugins.Plugins().plugin(invocation), transport.Proof(SECRET, b"c", SECRET.encode())]
    assert SECRET not in f"{shown!r}{rich.pretty.pretty_repr(shown)}"


# --- as a kubeconfig calls it


def _kubeconfig(
    folder: pathlib.Path,
    called: dict[str, Any],
    *,
    server: str = "https://edge:6443",
    proxy: str | None = None,
    **user: str,
) -> transport.Endpoint:
    cluster = {
        "server": server,
        "certificate-authority-data": base64.b64encode(CA.certificate).decode(),
        "extensions": [{"name": f"{GROUP}/exec", "extension": {"audience": "edge"}}, {"name": "x", "extension": 1}],
    }
    config = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"exec": called, **user}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    return endpoints.Endpoints().endpoint([path], None, proxy)


def _given(endpoint: transport.Endpoint) -> transport.Proof:
    assert endpoint.prover is not None
    return asyncio.run(endpoint.prover.current())


def _called(version: str = "v1", **more: object) -> dict[str, Any]:
    mode = {"interactiveMode": "Never"} if version == "v1" else {}
    return {"apiVersion": f"{GROUP}/{version}", "command": "./plugin", **mode, **more}


_ECHO = """
seen = {"info": json.loads(os.environ["KUBERNETES_EXEC_INFO"]), "args": sys.argv[1:], "in": sys.stdin.read()}
seen |= {name: os.environ.get(name) for name in ("ADDED", "OURS", "FLEETCTL_PROJECT_KEY")}
open(os.path.join(os.path.dirname(sys.argv[0]), "seen"), "w").write(json.dumps(seen))
version = seen["info"]["apiVersion"]
print(json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": {"token": "t"}}))
"""


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("told", [False, True])
def test_it_gets_what_kubectl_gives(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, version: str, *, told: bool
) -> None:
    """Arguments, our variables and those of the kubeconfig, and the cluster if it asks; no input, none of our keys."""
    monkeypatch.setenv("OURS", "2")
    monkeypatch.setenv("FLEETCTL_PROJECT_KEY", SECRET)
    _program(tmp_path, _ECHO)
    env = [{"name": "ADDED", "value": "1"}]
    endpoint = _kubeconfig(tmp_path, _called(version, args=["a b", "$X"], env=env, provideClusterInfo=told))
    assert _runs(tmp_path) == 0
    assert _given(endpoint) == transport.Proof("t")
    seen = json.loads((tmp_path / "seen").read_text(encoding="utf-8"))
    info = seen.pop("info")
    assert seen == {"args": ["a b", "$X"], "in": "", "ADDED": "1", "OURS": "2", "FLEETCTL_PROJECT_KEY": None}
    assert (info["kind"], info["apiVersion"], info["spec"]["interactive"]) == (
        "ExecCredential",
        f"{GROUP}/{version}",
        False,
    )
    cluster = info["spec"].get("cluster")
    if told:
        assert cluster.pop("certificate-authority-data")
        assert cluster == {"server": "https://edge:6443", "config": {"audience": "edge"}}
    else:
        assert cluster is None


def test_a_kubeconfig_of_others_starts_nothing(tmp_path: pathlib.Path) -> None:
    """Who may put another kubeconfig in its place must not run programs as us; a token may stand there."""
    _program(tmp_path, _credential(token=SECRET))
    tmp_path.chmod(0o777)
    with pytest.raises(errors.NotConfigured, match="no exec plugin of it is started: anybody may write") as caught:
        _kubeconfig(tmp_path, _called())
    assert caught.value.code is codes.Code.KUBE_UNSAFE_KUBECONFIG
    assert _kubeconfig(tmp_path, _called(), token=SECRET).prover is None
    assert _runs(tmp_path) == 0


def test_it_is_told_the_proxy_that_is_used(tmp_path: pathlib.Path) -> None:
    """A plugin that goes to the cluster itself must go the way that we go."""
    _program(tmp_path, _ECHO)
    _given(_kubeconfig(tmp_path, _called(provideClusterInfo=True), proxy="socks5://sites:2"))
    seen = json.loads((tmp_path / "seen").read_text(encoding="utf-8"))
    assert seen["info"]["spec"]["cluster"]["proxy-url"] == "socks5://sites:2"


def test_what_stands_in_the_file_goes_before(tmp_path: pathlib.Path) -> None:
    """As in client-go, a token or client certificate makes the plugin needless: it need not even be there."""
    assert _kubeconfig(tmp_path, _called(), token=SECRET).prover is None


def test_commands_are_looked_for_in_path(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare name comes from PATH, though not from a folder that depends on where we are."""
    _program(tmp_path, _credential(token=SECRET))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _given(_kubeconfig(tmp_path, _called(command="plugin"))).token == SECRET
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "." + os.pathsep)
    with pytest.raises(errors.NotConfigured) as caught:
        _kubeconfig(tmp_path, _called(command="plugin", installHint="brew \x1b[1minstall\nit"))
    assert caught.value.code is codes.Code.KUBE_NO_PLUGIN
    assert caught.value.hint == "brew [1minstall it"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"apiVersion": ""}, codes.Code.KUBE_BAD_KUBECONFIG, "apiVersion"),
        ({"apiVersion": "v1"}, codes.Code.KUBE_BAD_KUBECONFIG, "apiVersion"),
        ({"apiVersion": f"{GROUP}/v1alpha1"}, codes.Code.KUBE_BAD_KUBECONFIG, "apiVersion"),
        ({"command": ""}, codes.Code.KUBE_BAD_KUBECONFIG, "no command"),
        ({"command": "./p\0"}, codes.Code.KUBE_BAD_KUBECONFIG, "argument"),
        ({"args": ["\0"]}, codes.Code.KUBE_BAD_KUBECONFIG, "argument"),
        ({"env": [{"value": SECRET}]}, codes.Code.KUBE_BAD_KUBECONFIG, "variable"),
        ({"env": [{"name": "A=B", "value": SECRET}]}, codes.Code.KUBE_BAD_KUBECONFIG, "variable"),
        ({"interactiveMode": ""}, codes.Code.KUBE_BAD_KUBECONFIG, "interactiveMode"),
        ({"interactiveMode": "Sometimes"}, codes.Code.KUBE_BAD_KUBECONFIG, "interactiveMode"),
        ({"interactiveMode": "Always"}, codes.Code.KUBE_UNSUPPORTED_AUTH, "nobody is asked"),
        ({"command": "./missing"}, codes.Code.KUBE_NO_PLUGIN, "./missing is not there"),
    ],
)
def test_what_no_plugin_can_be_called_by_is_said(
    tmp_path: pathlib.Path, change: dict[str, Any], code: codes.Code, words: str
) -> None:
    """Before anything is run, and without showing what may be secret."""
    _program(tmp_path, "")
    with pytest.raises(errors.NotConfigured) as caught:
        _kubeconfig(tmp_path, {**_called(), **change})
    assert (caught.value.code, words in caught.value.message) == (code, True)
    assert SECRET not in f"{caught.value.message}{caught.value.hint}"
    assert _runs(tmp_path) == 0


# --- on the wire


class Giving:
    """A plugin that gives these credentials one after another, the next whenever one is refused."""

    def __init__(self, *given: transport.Proof) -> None:
        """Take what is given."""
        self.given = list(given)

    def held(self) -> transport.Proof | None:
        """Return the credential of the moment."""
        return self.given[0]

    async def current(self) -> transport.Proof:
        """Return it, too."""
        return self.given[0]

    def refuse(self, proof: transport.Proof) -> bool:
        """Go on to the next one, if there is one."""
        if proof is self.given[0] and len(self.given) > 1:
            self.given.pop(0)
            return True
        return False


def _ask(endpoint: transport.Endpoint, count: int = 1) -> list[int]:
    async def ask() -> list[int]:
        async with curl.CurlTransport() as wire:
            session = wire.session(endpoint)
            try:
                return [(await session.send(transport.Request("GET", "/", 10))).status for _ in range(count)]
            finally:
                session.close()

    return asyncio.run(ask())


def _knowing(token: str) -> wires.Behaviour:
    def serve(connection: wires.Connection) -> None:
        while (seen := connection.request()) is not None:
            known = seen.headers.get("authorization") == f"Bearer {token}"
            connection.send(wires.answer(status=200 if known else 401))

    return serve


def test_a_refused_token_is_asked_anew_once() -> None:
    """A 401 costs one more run and one more request on the same connection; a second 401 is the answer."""
    with wires.Server(PAIR, _knowing("b")) as server:
        endpoint = transport.Endpoint(server.url, CA.certificate)
        good = Giving(transport.Proof("a"), transport.Proof("b"))
        assert _ask(msgspec.structs.replace(endpoint, prover=good), 2) == [200, 200]
        assert (len(server.seen), server.connections) == (3, 1)
        bad = Giving(transport.Proof("x"), transport.Proof("y"), transport.Proof("b"))
        assert _ask(msgspec.structs.replace(endpoint, prover=bad)) == [401]
        assert [one.token for one in bad.given] == ["y", "b"]


def test_sites_that_refuse_do_not_wear_a_plugin_out(tmp_path: pathlib.Path) -> None:
    """What was given a moment ago is not asked again, nor twice for two sites that refuse the same credential."""
    clock = Clock()
    plugin = _one(_program(tmp_path, _credential(token=SECRET)), clock=clock)
    first = asyncio.run(plugin.current())
    assert not plugin.refuse(first)
    clock.now += 30
    assert plugin.refuse(first)
    second = asyncio.run(plugin.current())
    assert second is not first
    assert plugin.refuse(first)
    assert not plugin.refuse(second)
    assert plugin.held() is second
    assert _runs(tmp_path) == 2


def test_another_certificate_is_another_connection() -> None:
    """A connection is whose certificate made it: with a new one it is made anew."""
    pairs = [CA.client(name) for name in ("old", "new")]
    users = []

    def serve(connection: wires.Connection) -> None:
        while connection.request() is not None:
            users.append(connection.user())
            connection.send(wires.answer(status=200 if connection.user() == "new" else 401))

    with wires.Server(PAIR, serve, clients=CA.certificate) as server:
        given = Giving(*(transport.Proof("", pair.certificate, pair.key) for pair in pairs))
        assert _ask(transport.Endpoint(server.url, CA.certificate, prover=given), 2) == [200, 200]
    assert (users, server.connections) == (["old", "new", "new"], 2)


def test_a_broken_plugin_costs_its_site(tmp_path: pathlib.Path) -> None:
    """The site fails for its credentials with the reason, nothing is sent, and another site is not touched."""
    _program(tmp_path, "sys.stderr.write('log in first'); sys.exit(1)")
    with wires.Server(PAIR, wires.answering()) as server:
        endpoint = _kubeconfig(tmp_path, _called(), server=server.url)
        with pytest.raises(transport.Broken) as caught:
            _ask(endpoint)
        assert server.connections == 0
        assert _ask(transport.Endpoint(server.url, CA.certificate, "t")) == [200]
    failure = refusals.silent(caught.value)
    assert (failure.kind, failure.reason, failure.repeat) == ("credentials", "CredentialUnavailable", "never")
    assert failure.message == "plugin: it ended with exit code 1: log in first"


def test_a_slow_plugin_is_part_of_the_requests_time() -> None:
    """A change must not go out after its deadline: who waits for a plugin waits no longer than for an answer."""

    class Never(Giving):
        def held(self) -> transport.Proof | None:
            return None

        async def current(self) -> transport.Proof:
            await asyncio.Event().wait()
            raise AssertionError

    async def ask(url: str) -> None:
        async with curl.CurlTransport() as wire:
            await wire.session(transport.Endpoint(url, prover=Never())).send(transport.Request("PATCH", "/", 0.05))

    with wires.Server(PAIR, wires.answering()) as server:
        with pytest.raises(transport.Broken, match="not there in time") as caught:
            asyncio.run(ask(server.url))
        assert (caught.value.kind, caught.value.sent, server.connections) == ("no-credential", False, 0)


def test_the_whole_way(tmp_path: pathlib.Path) -> None:
    """From a kubeconfig over the program to the server: the token arrives."""
    _program(tmp_path, _credential(token=SECRET))
    with wires.Server(PAIR, _knowing(SECRET)) as server:
        endpoint = _kubeconfig(tmp_path, _called(), server=server.url)
        assert (_ask(endpoint, 2), _runs(tmp_path)) == ([200, 200], 1)
        assert SECRET not in repr(endpoint)
