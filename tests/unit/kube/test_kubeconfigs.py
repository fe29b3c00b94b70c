"""Kubeconfig files as kubectl reads them, save what weakens trust, which is refused in words that show no secret."""

import base64
import json
import pathlib
import re
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import strategies

from fleetctl.kube import endpoints, proofs, transport
from fleetctl.model import codes, errors
from tests.kubebox import certificates

CA = certificates.Authority("ours")
PAIR = CA.client("rollout")
SECRET = "s3cretw0rd"  # noqa: S105  # that is the point

Change = Callable[[dict[str, Any]], object]


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _config() -> dict[str, Any]:
    cluster = {"server": "https://edge-17:6443", "certificate-authority-data": _b64(CA.certificate)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": SECRET}}],
        "contexts": [{"name": "edge-17", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "current-context": "edge-17",
    }


def _read(folder: pathlib.Path, config: object, context: str | None = None) -> transport.Endpoint:
    path = folder / "kubeconfig"
    path.write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
    return endpoints.Endpoints().endpoint([path], context)


def _token(endpoint: transport.Endpoint) -> str:
    """Return the token that would be sent."""
    held = endpoint.prover.held() if endpoint.prover is not None else None
    return endpoint.token if held is None else held.token


def _changed(cluster: dict[str, object] | None = None, user: dict[str, object] | None = None) -> dict[str, Any]:
    config = _config()
    config["clusters"][0]["cluster"].update(cluster or {})
    if user is not None:
        config["users"][0]["user"] = user
    return config


def _refusal(folder: pathlib.Path, config: object, context: str | None = None) -> errors.NotConfigured:
    with pytest.raises(errors.NotConfigured) as caught:
        _read(folder, config, context)
    assert SECRET not in f"{caught.value.message}{caught.value.hint}"
    assert str(folder / "kubeconfig") in caught.value.message
    return caught.value


def test_json_and_yaml_are_the_same(tmp_path: pathlib.Path) -> None:
    """What kubectl writes as YAML, and what is quicker to read."""
    expected = transport.Endpoint("https://edge-17:6443", CA.certificate, SECRET)
    assert _read(tmp_path, _config()) == expected
    text = f"""
apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: {_b64(CA.certificate)}
    server: https://edge-17:6443
  name: c
contexts:
- context: {{cluster: c, user: u}}
  name: edge-17
current-context: edge-17
users:
- name: u
  user:
    token: {SECRET}
"""
    assert _read(tmp_path, text) == expected
    assert _read(tmp_path, text, "edge-17") == expected


def test_files_are_read_beside_the_kubeconfig(tmp_path: pathlib.Path) -> None:
    """Relative paths are relative to the file that names them; absolute ones are not."""
    (tmp_path / "pki").mkdir()
    for name, content in (("ca", CA.certificate), ("crt", PAIR.certificate), ("key", PAIR.key)):
        (tmp_path / "pki" / name).write_bytes(content)
    config = _changed(
        {
            "certificate-authority-data": "",
            "certificate-authority": "pki/ca",
            "tls-server-name": "edge",
            "proxy-url": "socks5://p:1",
        },
        {"client-certificate": "pki/crt", "client-key": str(tmp_path / "pki" / "key")},
    )
    assert _read(tmp_path, config) == transport.Endpoint(
        "https://edge-17:6443",
        CA.certificate,
        client_cert=PAIR.certificate,
        client_key=PAIR.key,
        server_name="edge",
        proxy="socks5://p:1",
        ends=_CERTIFIED_UNTIL,
    )


def test_data_goes_before_files(tmp_path: pathlib.Path) -> None:
    """As for kubectl, what stands in the file wins over what it points to; for tokens the file does."""
    (tmp_path / "token").write_text("from-file\n", encoding="utf-8")
    user: dict[str, object] = {"token": SECRET, "tokenFile": "token"}
    found = _read(tmp_path, _changed({"certificate-authority": "missing"}, user))
    assert (found.ca, _token(found)) == (CA.certificate, "from-file")


def test_without_authority_it_is_the_systems(tmp_path: pathlib.Path) -> None:
    """Only a kubeconfig that names no authority at all leaves it to the system."""
    assert _read(tmp_path, _changed({"certificate-authority-data": ""})).ca is None


@pytest.mark.parametrize(
    ("cluster", "words"),
    [
        ({"server": ""}, "no https://"),
        ({"server": "http://edge-17:6443"}, "no https://"),
        ({"server": "https://"}, "no https://"),
        ({"server": f"https://admin:{SECRET}@edge-17:6443"}, "no https://"),
        ({"server": "https://edge-17:6443/a b"}, "no https://"),
        ({"server": "https://\u00e4:6443"}, "no https://"),
        ({"insecure-skip-tls-verify": True}, "insecure-skip-tls-verify is refused"),
        ({"tls-server-name": "\u00e4"}, "tls-server-name"),
        ({"proxy-url": f"http://u:{SECRET}@p\n"}, "proxy-url"),
        ({"proxy-url": f"u:{SECRET}@p:3128"}, "proxy-url is no http"),
        ({"proxy-url": f"socks4://u:{SECRET}@p:3128"}, "proxy-url is no http"),
        ({"certificate-authority-data": "!!"}, "not base64"),
        ({"certificate-authority-data": _b64(b"\n")}, "not PEM"),
        ({"certificate-authority-data": _b64(PAIR.key)}, "not PEM, or not of the kind"),
        ({"certificate-authority-data": "", "certificate-authority": "empty"}, "empty is not PEM"),
        ({"certificate-authority-data": "", "certificate-authority": "missing"}, "missing cannot be read"),
        ({"certificate-authority-data": "", "certificate-authority": "."}, "cannot be read"),
    ],
)
def test_what_weakens_trust_is_refused(tmp_path: pathlib.Path, cluster: dict[str, object], words: str) -> None:
    """Nothing that is wrong with the server's side is taken for less than it is."""
    (tmp_path / "empty").write_bytes(b"")
    refusal = _refusal(tmp_path, _changed(cluster))
    assert refusal.code is codes.Code.KUBE_BAD_KUBECONFIG
    assert words in refusal.message


def _locked() -> bytes:
    key = serialization.load_pem_private_key(PAIR.key, None)
    locks = serialization.BestAvailableEncryption(b"x")
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locks)


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"token": f"{SECRET}\r\nX-Evil: 1"}, "its token holds"),
        ({"token": f"{SECRET} {SECRET}"}, "its token holds"),
        ({"token": f"{SECRET}\u00e4"}, "its token holds"),
        ({"tokenFile": "missing"}, "missing cannot be read"),
        ({"tokenFile": "empty"}, "token file is empty"),
        ({"client-certificate-data": _b64(PAIR.certificate)}, "needs its key"),
        ({"client-key-data": _b64(PAIR.key)}, "needs its key"),
        ({"token": SECRET, "as-groups": ["crew"]}, "but no user"),
        ({"token": SECRET, "as-uid": "7"}, "but no user"),
        ({"token": SECRET, "as": f"boss\r\nAuthorization: {SECRET}"}, "signs that no header has"),
        ({"token": SECRET, "as": "boss", "as-user-extra": {"a": [f" {SECRET}"]}}, "signs that no header has"),
        ({"client-certificate-data": _b64(PAIR.certificate), "client-key-data": _b64(_locked())}, "is encrypted"),
        ({"client-certificate-data": _b64(PAIR.certificate), "client-key-data": _b64(PAIR.certificate)}, "not of the"),
    ],
)
def test_what_cannot_prove_us_is_refused(tmp_path: pathlib.Path, user: dict[str, object], words: str) -> None:
    """Tokens that would be another header, and certificates without a usable key, are found before any contact."""
    (tmp_path / "empty").write_bytes(b"\n")
    refusal = _refusal(tmp_path, _changed(user=user))
    assert refusal.code is codes.Code.KUBE_BAD_KUBECONFIG
    assert words in refusal.message


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"auth-provider": {"name": SECRET, "config": {"id-token": SECRET}}}, "an auth-provider that is not oidc"),
        ({"auth-provider": {"name": "gcp"}}, "the auth-provider gcp"),
        ({"auth-provider": {"name": "azure", "config": None}}, "the auth-provider azure"),
        ({"username": "admin", "password": SECRET}, "a user name and password"),
        ({"token": SECRET, "password": SECRET}, "a user name and password"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: pathlib.Path, user: dict[str, object], words: str) -> None:
    """Ways to prove oneself that do not work are named, with what works instead."""
    refusal = _refusal(tmp_path, _changed(user=user))
    assert refusal.code is codes.Code.KUBE_UNSUPPORTED_AUTH
    assert words in refusal.message
    assert "plugin" in refusal.hint or "token" in refusal.hint


def test_one_way_is_enough(tmp_path: pathlib.Path) -> None:
    """As for kubectl, a plugin and a provider together are a mistake."""
    user: dict[str, object] = {"auth-provider": {"name": "oidc"}, "exec": {"command": "x"}}
    assert "it can have one" in _refusal(tmp_path, _changed(user=user)).message


def test_impersonation_becomes_headers(tmp_path: pathlib.Path) -> None:
    """Names in ``as-user-extra`` are escaped as client-go does, since names of headers are not free."""
    extra: dict[str, object] = {"scopes": ["a", ""], "acme.com/x %": ["y"], "none": None}
    user: dict[str, object] = {
        "token": SECRET,
        "as": "boss",
        "as-uid": "7",
        "as-groups": ["crew", "b c"],
        "as-user-extra": extra,
    }
    assert _read(tmp_path, _changed(user=user)).impersonation == (
        ("Impersonate-User", "boss"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Group", "crew"),
        ("Impersonate-Group", "b c"),
        ("Impersonate-Extra-scopes", "a"),
        ("Impersonate-Extra-scopes", ""),
        ("Impersonate-Extra-acme.com%2Fx%20%25", "y"),
    )


@pytest.mark.parametrize("as_yaml", [False, True])
def test_null_is_not_there(tmp_path: pathlib.Path, *, as_yaml: bool) -> None:
    """As for Go; keys that nobody knows are overlooked, and so are line ends in base64."""
    wrapped = "\n".join(re.findall(".{1,64}", _b64(CA.certificate))) + "\n"
    cluster: dict[str, object] = {
        "certificate-authority-data": wrapped,
        "proxy-url": None,
        "extensions": None,
        "new": {"a": None},
    }
    config = _changed(cluster, {"token": SECRET, "username": None, "exec": None, "auth-provider": None, "as": None})
    config |= {"preferences": None, "extensions": None, "else": 1}
    text = json.dumps(config)
    expected = transport.Endpoint("https://edge-17:6443", CA.certificate, SECRET)
    assert _read(tmp_path, f"---\n{text}" if as_yaml else text) == expected


_CERTIFIED: dict[str, object] = {
    "client-certificate-data": _b64(PAIR.certificate),
    "client-key-data": _b64(PAIR.key),
}
_CERTIFIED_UNTIL = x509.load_pem_x509_certificate(PAIR.certificate).not_valid_after_utc.timestamp()


def _jwt(**claims: object) -> str:
    """Return a token of the form of RFC 7519; nobody looks at its signature here."""
    parts = ({"alg": "RS256"}, claims)
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts), "s"])


def _ending(user: dict[str, object], now: float, folder: pathlib.Path) -> float | None:
    (folder / "kubeconfig").write_text(json.dumps(_changed(user=user)), encoding="utf-8")
    return endpoints.Endpoints(lambda: now).endpoint([folder / "kubeconfig"], None).ends


@pytest.mark.parametrize(
    ("user", "ends", "sorts"),
    [
        ({"token": _jwt(exp=5000)}, 5000, "token"),
        ({"token": _jwt(exp=5000.5)}, 5000.5, "token"),
        ({"token": _jwt(exp=-1e300)}, 0, "token"),
        (_CERTIFIED, _CERTIFIED_UNTIL, "client certificate"),
        (_CERTIFIED | {"token": _jwt(exp=5000)}, _CERTIFIED_UNTIL, "client certificate and token"),
    ],
    # The same in each process: certificates are made anew.
    ids=["token", "fraction", "long-ago", "certificate", "both"],
)
def test_credentials_that_end(tmp_path: pathlib.Path, user: dict[str, object], ends: float, sorts: str) -> None:
    """What says when it ends is not used after that: before anything is contacted, and without a word of it."""
    assert _ending(user, ends - 1, tmp_path) == ends
    with pytest.raises(errors.NotConfigured, match=f"its {sorts} expired on") as caught:
        _ending(user, ends, tmp_path)
    assert caught.value.code is codes.Code.KUBE_EXPIRED_CREDENTIALS
    assert str(user.get("token") or "BEGIN") not in caught.value.message


@pytest.mark.parametrize(
    "token",
    [
        SECRET,
        _jwt(sub="x"),
        _jwt(exp=None),
        _jwt(exp="soon"),
        "a.b.c",
        "..",
        f"a.{base64.urlsafe_b64encode(b'[' * 10000).decode()}.c",
    ],
)
def test_tokens_that_do_not_say_when_they_end(tmp_path: pathlib.Path, token: str) -> None:
    """Whatever a token is, it is the server that judges it; beside one, the end of a certificate says little."""
    assert _ending({"token": token}, 1e11, tmp_path) is None
    assert _ending(_CERTIFIED | {"token": token}, 1e11, tmp_path) is None


def test_what_is_renewed_does_not_end(tmp_path: pathlib.Path) -> None:
    """A token file is renewed by somebody else; unless nobody has."""
    (tmp_path / "token").write_text(_jwt(exp=5000), encoding="utf-8")
    assert _ending({"tokenFile": "token"}, 4000, tmp_path) is None
    with pytest.raises(errors.NotConfigured, match="its token expired on 1970-01-01 01:23 UTC"):
        _ending({"tokenFile": "token"}, 6000, tmp_path)


@hypothesis.given(strategies.text())
def test_any_text_may_be_a_token(token: str) -> None:
    """Nothing that a token holds breaks us."""
    for text in (token, f"a.{token}.c"):
        assert proofs.end_of_token(text) is None
    assert proofs.end_of_certificate(token.encode("utf-8", "replace")) is None


def _without(key: str) -> dict[str, Any]:
    config = _config()
    config[key] = None
    return config


def _twice(key: str) -> dict[str, Any]:
    config = _config()
    config[key] *= 2
    return config


@pytest.mark.parametrize(
    ("config", "context", "words"),
    [
        (_config(), "y", 'no context "y"'),
        (_config(), "edge-71", 'did you mean "edge-17"?'),
        ({**_config(), "current-context": ""}, None, "no current context"),
        (_without("contexts"), None, 'no context "edge-17"'),
        (_without("clusters"), None, 'cluster "c"'),
        (_without("users"), None, 'user "u"'),
    ],
)
def test_what_is_not_there_is_named(tmp_path: pathlib.Path, config: object, context: str | None, words: str) -> None:
    """A context, or what it names, that is missing."""
    refusal = _refusal(tmp_path, config, context)
    assert refusal.code is codes.Code.KUBE_NO_CONTEXT
    assert words in refusal.message


@pytest.mark.parametrize("key", ["clusters", "users", "contexts"])
def test_names_are_there_once(tmp_path: pathlib.Path, key: str) -> None:
    """Two entries of one name are refused, as kubectl does: nobody can tell which is meant."""
    assert "have one name" in _refusal(tmp_path, _twice(key)).message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "just words",
        f"users: [{{name: u, user: {{token: {SECRET}}}}}, {SECRET}",
        f'{{"users": [{{"name": "u", "user": "{SECRET}"}}]}}',
        '{"clusters": 7}',
        "\ufeff\x00",
    ],
)
def test_what_is_no_kubeconfig_is_said(tmp_path: pathlib.Path, text: str) -> None:
    """Text that is something else is named by its file, without its content: it may be a secret."""
    assert _refusal(tmp_path, text).code in {codes.Code.KUBE_BAD_KUBECONFIG, codes.Code.KUBE_NO_CONTEXT}


def test_missing_files_are_said(tmp_path: pathlib.Path) -> None:
    """No file, and a folder in its place."""
    with pytest.raises(errors.NotConfigured, match="there is no kubeconfig") as caught:
        endpoints.Endpoints().endpoint([tmp_path / "kubeconfig"], None)
    assert caught.value.code is codes.Code.KUBE_NO_KUBECONFIG
    with pytest.raises(errors.NotConfigured, match="cannot be read"):
        endpoints.Endpoints().endpoint([tmp_path], None)


def test_a_file_is_read_once(tmp_path: pathlib.Path) -> None:
    """A thousand sites that name contexts of one file cost one reading of it, and of what it names."""
    config = _changed({"certificate-authority-data": "", "certificate-authority": "ca"})
    config["contexts"] = [{"name": f"s-{number}", "context": {"cluster": "c", "user": "u"}} for number in range(1000)]
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "ca").write_bytes(CA.certificate)
    files = endpoints.Endpoints()
    files.endpoint([path], "s-0")
    path.unlink()
    (tmp_path / "ca").unlink()
    assert {files.endpoint([path], f"s-{number}").token for number in range(1000)} == {SECRET}


def _named(folder: pathlib.Path, name: str, token: str, **more: object) -> pathlib.Path:
    """Write a kubeconfig into a folder of its own, with a token file and cluster of its own under the usual names."""
    path = folder / name / "kubeconfig"
    path.parent.mkdir()
    (path.parent / "token").write_text(token, encoding="utf-8")
    config = _changed({"server": f"https://{name}:6443"}, {"tokenFile": "token"})
    path.write_text(json.dumps(config | more), encoding="utf-8")
    return path


def test_of_several_files_the_first_wins(tmp_path: pathlib.Path) -> None:
    """As KUBECONFIG does: per name, and with paths relative to the file that says so; missing files are skipped."""
    first = _named(tmp_path, "first", "by-first", **{"current-context": ""})
    second = _named(tmp_path, "second", "by-second", users=[{"name": "v", "user": {"tokenFile": "token"}}])
    third = tmp_path / "third"
    further = [{"name": "further", "context": {"cluster": "c", "user": "v"}}]
    third.write_text(json.dumps({"contexts": further, "current-context": "further"}), encoding="utf-8")
    found = endpoints.Endpoints()
    files = [tmp_path / "missing", first, second, third]
    one = found.endpoint(files, None)
    assert (one.server, _token(one)) == ("https://first:6443", "by-first")
    other = found.endpoint(files, "further")
    assert (other.server, _token(other)) == ("https://first:6443", "by-second")
    turned = [second, third, first]
    assert (found.endpoint(turned, "further").server, _token(found.endpoint(turned, "edge-17"))) == (
        "https://second:6443",
        "by-first",
    )


def test_several_files_are_named_in_faults(tmp_path: pathlib.Path) -> None:
    """Whoever reads a fault sees which files were looked through; a broken one is not skipped."""
    first, second = _named(tmp_path, "first", "a", users=None), _named(tmp_path, "second", "b", users=None)
    found = endpoints.Endpoints()
    for files, context, words in (
        ([first, second], "x", f'{first}:{second} has no context "x"'),
        ([second, first], None, f'{second}: the context "edge-17" names a user that is in none of {second}:{first}'),
        ([tmp_path / "x", tmp_path / "y"], None, f"there is no kubeconfig {tmp_path}/x:{tmp_path}/y"),
        ([first, tmp_path], None, f"{tmp_path}: cannot be read"),
    ):
        with pytest.raises(errors.NotConfigured, match=re.escape(words)):
            found.endpoint(files, context)


@hypothesis.given(strategies.text() | strategies.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever a file holds, it is refused as our configuration, never a crash."""
    path = tmp_path_factory.mktemp("any") / "kubeconfig"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(errors.NotConfigured):
        endpoints.Endpoints().endpoint([path], None)
