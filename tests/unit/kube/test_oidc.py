"""Users of OpenID Connect against an issuer of our own over TLS: what is asked, what is kept, and what is saved."""

import asyncio
import base64
import json
import os
import pathlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
import rich.pretty
import yaml

from fleetctl.kube import curl, endpoints, oidc, refusals, tokensaving, transport
from fleetctl.model import codes, errors
from tests.unit.kube import issuers, wires

CA = wires.Authority("ours")
PAIR = CA.server()


class Clock:
    """The clock on the wall, moved."""

    ahead = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return time.time() + self.ahead


@pytest.fixture(name="issuer")
def _issuer() -> Iterator[issuers.Issuer]:
    with issuers.Issuer(CA) as made:
        yield made


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


def _kubeconfig(
    folder: pathlib.Path,
    config: dict[str, str],
    *,
    server: str = "https://edge",
    name: str = "kubeconfig",
    **user: object,
) -> pathlib.Path:
    provider = {"name": "oidc", "config": config}
    data = {
        "clusters": [
            {
                "name": "c",
                "cluster": {"server": server, "certificate-authority-data": base64.b64encode(CA.certificate).decode()},
            }
        ],
        "users": [{"name": "other", "user": {}}, {"name": "u", "user": {"auth-provider": provider, **user}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("x", "y")],
        "current-context": "x",
    }
    path = folder / name
    path.write_text(json.dumps(data), encoding="utf-8")
    path.chmod(0o600)
    return path


def _saved(path: pathlib.Path) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load(path.read_text("utf-8"))["users"][1]["user"]["auth-provider"]["config"]
    return found


def _prover(path: pathlib.Path, clock: Clock | None = None, context: str | None = None) -> transport.Prover:
    prover = endpoints.Endpoints(clock or Clock()).endpoint([path], context).prover
    assert prover is not None
    return prover


def _token(prover: transport.Prover) -> str:
    return asyncio.run(prover.current()).token


def _fault(prover: transport.Prover) -> str:
    with pytest.raises(transport.Broken) as caught:
        asyncio.run(prover.current())
    failure = refusals.silent(caught.value)
    assert (failure.kind, failure.reason, caught.value.sent) == ("credentials", "CredentialUnavailable", False)
    assert "s3cret" not in f"{caught.value!r}{failure.message}"
    return failure.message


# --- what is asked


def test_a_token_that_holds_is_used(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """As for kubectl: nobody is asked for another one, and a 401 is no reason to."""
    token = issuer.token()
    prover = _prover(_kubeconfig(tmp_path, issuer.config(CA.certificate, **{"id-token": token})))
    held = prover.held()
    assert held == transport.Proof(token)
    assert not prover.refuse(held)
    assert issuer.asked == 0


def test_a_token_is_refreshed_before_its_end(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """Once for all who need it; again when that one ends, with the refresh token that came along."""
    clock, config = Clock(), issuer.config(CA.certificate, **{"id-token": issuer.token(-1)})
    path = _kubeconfig(tmp_path, config)
    found = endpoints.Endpoints(clock)
    one, other = (found.endpoint([path], name).prover for name in ("x", "y"))
    assert one is other
    assert one is not None
    assert one.held() is None

    async def ask() -> set[str]:
        return {given.token for given in await asyncio.gather(*(one.current() for _ in range(100)))}

    [first] = asyncio.run(ask())
    assert one.held() == transport.Proof(first)
    clock.ahead = issuer.lifetime
    assert one.held() is None
    clock.ahead = 0  # the issuer's tokens are of now
    one_more = _prover(_kubeconfig(tmp_path, {**config, "refresh-token": issuer.refresh_token}, name="second"), clock)
    assert _token(one_more) != first
    assert [form["refresh_token"] for form in issuer.forms] == [issuers.FIRST, "refresh-s3cret-1"]
    assert issuer.forms[0] == {"grant_type": "refresh_token", "refresh_token": issuers.FIRST, "client_id": "fleet"}
    assert "authorization" not in issuer.heads[0]


@pytest.mark.parametrize(
    ("methods", "in_header"),
    [(None, True), (["client_secret_post", "client_secret_basic"], True), (["client_secret_post"], False), ([], True)],
)
def test_a_client_proves_itself_as_the_issuer_likes(
    issuer: issuers.Issuer, tmp_path: pathlib.Path, methods: list[str] | None, *, in_header: bool
) -> None:
    """By its header, unless the issuer takes the secret in the form only."""
    issuer.discovery = {} if methods is None else {"token_endpoint_auth_methods_supported": methods}
    _token(_prover(_kubeconfig(tmp_path, issuer.config(CA.certificate, **{"client-secret": "a:/s3cret"}))))
    expected = base64.b64encode(b"fleet:a%3A%2Fs3cret").decode()
    assert issuer.heads[0].get("authorization") == (f"Basic {expected}" if in_header else None)
    assert issuer.forms[0].get("client_secret") == (None if in_header else "a:/s3cret")


def test_the_whole_way(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """From a kubeconfig over the issuer to the server; a client certificate beside it is shown, too."""
    shown = []

    def serve(connection: wires.Connection) -> None:
        while (seen := connection.request()) is not None:
            shown.append((connection.user(), seen.headers["authorization"]))
            connection.send(wires.answer())

    pair = CA.client("rollout")
    with wires.Server(PAIR, serve, clients=CA.certificate) as server:
        certified = {"client-certificate-data": pair.certificate, "client-key-data": pair.key}
        encoded = {name: base64.b64encode(content).decode() for name, content in certified.items()}
        path = _kubeconfig(tmp_path, issuer.config(CA.certificate), server=server.url, **encoded)
        endpoint = endpoints.Endpoints().endpoint([path], None)

        async def ask() -> int:
            async with curl.CurlTransport() as wire:
                session = wire.session(endpoint)
                try:
                    return (await session.send(transport.Request("GET", "/", 20))).status
                finally:
                    session.close()

        assert asyncio.run(ask()) == 200
    assert shown == [("rollout", f"Bearer {_saved(path)['id-token']}")]


# --- what is saved


def test_new_tokens_are_saved_for_whoever_comes_next(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """A refresh token that rotates is good for one use: the next command, and kubectl, find the new one."""
    path = _kubeconfig(tmp_path, issuer.config(CA.certificate, **{"id-token": issuer.token(-1)}))
    before = json.loads(path.read_text("utf-8"))
    token = _token(_prover(path))
    assert _saved(path) == issuer.config(CA.certificate, **{"id-token": token, "refresh-token": "refresh-s3cret-1"})
    after = json.loads(path.read_text("utf-8"))
    for data in (before, after):
        data["users"][1] = None
    assert before == after
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["kubeconfig"]
    held = _prover(path).held()
    assert held == transport.Proof(token)


def test_yaml_keeps_all_else(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """Comments and order are the operator's; a link stays one."""
    text = f"""# mine
users:
- name: other  # nobody
  user: {{}}
- user:
    auth-provider:
      name: oidc
      config:
        client-id: fleet
        refresh-token: {issuers.FIRST}   # one use
        idp-issuer-url: "{issuer.url}"
        idp-certificate-authority: ca
  name: u
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "https://edge"}}}}]
current-context: x
"""
    (tmp_path / "ca").write_bytes(CA.certificate)
    (tmp_path / "real").mkdir()
    real, path = tmp_path / "real" / "file", tmp_path / "link"
    real.write_text(text, encoding="utf-8")
    path.symlink_to(real)
    token = _token(_prover(path))
    assert path.is_symlink()
    added = f"        idp-certificate-authority: ca\n        id-token: {token}\n"
    expected = text.replace("        idp-certificate-authority: ca\n", added)
    assert real.read_text("utf-8") == expected.replace(f"{issuers.FIRST}   #", "refresh-s3cret-1   #")


def test_equal_users_share_their_tokens(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """A file for each site, each with the same login: one refresh, saved in all of them."""
    config = issuer.config(CA.certificate)
    paths = [_kubeconfig(tmp_path, config, name=f"k{number}") for number in range(3)]
    found = endpoints.Endpoints()
    provers = {id(found.endpoint([path], None).prover): found.endpoint([path], None).prover for path in paths}
    [prover] = provers.values()
    assert prover is not None
    token = _token(prover)
    assert [_saved(path)["id-token"] for path in paths] == [token] * 3
    assert len(issuer.forms) == 1


def test_what_somebody_else_refreshed_is_taken(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """Another process was first, and the refresh token that we read is used up."""
    path = _kubeconfig(tmp_path, issuer.config(CA.certificate))
    late = _prover(path)
    token = _token(_prover(path))
    assert _token(late) == token
    assert len(issuer.forms) == 1


def test_processes_take_turns(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """Commands that begin at once send one refresh token once, though each has read it."""
    path = _kubeconfig(tmp_path, issuer.config(CA.certificate))
    provers = [_prover(path) for _ in range(5)]

    async def ask() -> set[str]:
        return {given.token for given in await asyncio.gather(*(one.current() for one in provers))}

    assert asyncio.run(ask()) == {_saved(path)["id-token"]}
    assert len(issuer.forms) == 1


def test_nothing_is_used_up_that_cannot_be_saved(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """A refresh token is sent only when there is a place for the next one."""
    path = _kubeconfig(tmp_path, issuer.config(CA.certificate))
    prover = _prover(path)
    text = path.read_text("utf-8")
    path.write_text(text.replace('"u"', '"v"'), encoding="utf-8")
    assert 'no auth-provider for the user "u" any more' in _fault(prover)
    path.write_text("users: [", encoding="utf-8")
    assert "is no kubeconfig any more" in _fault(_prover_of(prover))
    path.unlink()
    assert "cannot be read: No such file" in _fault(_prover_of(prover))
    assert issuer.asked == 0


def _prover_of(prover: transport.Prover) -> transport.Prover:
    """Let a prover forget what it was told last."""
    prover._last = None  # type: ignore[attr-defined]  # noqa: SLF001  # 30 seconds otherwise
    return prover


def test_where_nothing_can_be_written_nobody_is_asked(
    issuer: issuers.Issuer, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mounted Secret, for example: whoever made it must renew it."""
    path = _kubeconfig(tmp_path, issuer.config(CA.certificate))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written, and new tokens belong there" in _fault(_prover(path))
    assert issuer.asked == 0


def test_a_shared_value_is_an_obstacle(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """YAML whose values cannot be changed in place is found out before the refresh token is sent."""
    path = _kubeconfig(tmp_path, issuer.config(CA.certificate))
    data = path.read_text("utf-8").replace(json.dumps(issuers.FIRST), "&one " + issuers.FIRST)
    path.write_text(f"---\n{data[:-1]}, again: *one}}", encoding="utf-8")
    assert "cannot be written into" in _fault(_prover(path))
    assert issuer.asked == 0


def test_kubectls_lock_is_waited_for_but_not_for_ever(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """A lock that was left behind keeps nobody from saving what cannot be got again; it is left where it is."""
    path = _kubeconfig(tmp_path, issuer.config(CA.certificate))
    lock = tmp_path / "kubeconfig.lock"
    lock.touch()
    assert _token(_prover(path)) == _saved(path)["id-token"]
    assert _saved(path)["refresh-token"] == "refresh-s3cret-1"
    assert lock.exists()


# --- what goes wrong


@pytest.mark.parametrize(
    ("status", "said", "words"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "s3cret"},
            "does not refresh the id-token (invalid_grant)",
        ),
        (401, {"error": "invalid_client"}, "(invalid_client): log in again"),
        (400, {"error": "s3cret refresh"}, "gave no new id-token: 400"),
        (500, {}, "gave no new id-token: 500"),
        (302, {}, "gave no new id-token: 302"),
        (200, {"id_token": ""}, "gave no id_token"),
        (200, {"id_token": "s3cret"}, "for an id_token is none"),
        (200, {"id_token": "s3cret\r\nX: y.e30.c"}, "for an id_token is none"),
        (200, {"id_token": ["s3cret"]}, "not what OpenID Connect says"),
    ],
)
def test_what_an_issuer_may_say(
    issuer: issuers.Issuer, tmp_path: pathlib.Path, status: int, said: dict[str, Any], words: str
) -> None:
    """Every refusal is a fault of the credentials, told without a word of the issuer's own."""
    path = _kubeconfig(tmp_path, issuer.config(CA.certificate))
    if status != 200:
        issuer.status = status
    issuer.said = said
    assert words in _fault(_prover(path))
    assert _saved(path)["refresh-token"] == issuers.FIRST


def test_an_issuer_must_prove_itself(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """Its certificate is checked against the authority that the kubeconfig names, and tokens go over TLS only."""
    other = wires.Authority("other")
    assert "gave no new id-token" in _fault(_prover(_kubeconfig(tmp_path, issuer.config(other.certificate))))
    assert issuer.asked == 0
    issuer.discovery = {"token_endpoint": issuer.url.replace("https", "http")}
    assert "no https:// address" in _fault(_prover(_kubeconfig(tmp_path, issuer.config(CA.certificate))))
    assert issuer.forms == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"idp-issuer-url": "http://issuer"}, "idp-issuer-url"),
        ({"idp-issuer-url": "https://u:s3cret@issuer"}, "idp-issuer-url"),
        ({"client-id": ""}, "no client-id"),
        ({"refresh-token": ""}, "neither an id-token nor a refresh-token"),
        ({"id-token": "s3cret"}, "id-token of its auth-provider is none"),
        ({"id-token": "a.b c.s3cret"}, "id-token of its auth-provider is none"),
        ({"idp-certificate-authority-data": "s3cret!"}, "not base64"),
        ({"idp-certificate-authority-data": "", "idp-certificate-authority": "missing"}, "missing cannot be read"),
    ],
)
def test_what_is_no_login_is_refused(
    issuer: issuers.Issuer, tmp_path: pathlib.Path, change: dict[str, str], words: str
) -> None:
    """Before anybody is asked, and in words that show nothing."""
    with pytest.raises(errors.NotConfigured, match=words) as caught:
        _prover(_kubeconfig(tmp_path, {**issuer.config(CA.certificate), **change}))
    assert caught.value.code is codes.Code.KUBE_BAD_KUBECONFIG
    assert "s3cret" not in f"{caught.value.message}{caught.value.hint}"


def test_without_a_refresh_token_it_is_a_token(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """With an end, like any other; and a token beside the provider goes before, as in client-go."""
    token = issuer.token()
    config = issuer.config(CA.certificate, **{"refresh-token": "", "id-token": token})
    endpoint = endpoints.Endpoints().endpoint([_kubeconfig(tmp_path, config)], None)
    assert (endpoint.token, endpoint.prover) == (token, None)
    assert endpoint.ends is not None
    config["id-token"] = issuer.token(-1)
    with pytest.raises(errors.NotConfigured, match="its token expired") as caught:
        endpoints.Endpoints().endpoint([_kubeconfig(tmp_path, config)], None)
    assert caught.value.code is codes.Code.KUBE_EXPIRED_CREDENTIALS
    beside = endpoints.Endpoints().endpoint([_kubeconfig(tmp_path, config, token="t")], None)  # noqa: S106  # an example
    assert (beside.token, beside.prover) == ("t", None)


def test_nothing_shows_what_is_secret(issuer: issuers.Issuer, tmp_path: pathlib.Path) -> None:
    """Neither a log line nor a traceback drawn with its variables."""
    config = issuer.config(CA.certificate, **{"id-token": issuer.token(), "client-secret": "s3cret"})
    endpoint = endpoints.Endpoints().endpoint([_kubeconfig(tmp_path, config)], None)
    known = oidc.settings(config, CA.certificate)
    shown = [endpoint, endpoint.prover, known, tokensaving.Tokens("s3cret", "s3cret")]
    text = f"{shown!r}{rich.pretty.pretty_repr(shown)}"
    assert "s3cret" not in text
    assert config["id-token"] not in text
