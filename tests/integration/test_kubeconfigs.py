"""Kubeconfigs mean to us what they mean to kubectl: the same file, read by both."""

import base64
import json
import os
import pathlib
import shutil
import subprocess
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from fleetctl.kube import kubeconfigs, transport
from fleetctl.model import errors
from tests.kubebox import certificates

_CA = certificates.Authority("kubeconfigs")
_PAIR = _CA.client("rollout")
_FILES = {"pki/ca.crt": _CA.certificate, "pki/me.crt": _PAIR.certificate, "pki/me.key": _PAIR.key, "token": b"by-file"}


def _fields(**fields: strategies.SearchStrategy[Any]) -> strategies.SearchStrategy[dict[str, Any]]:
    """Any of the fields, each under its name as kubectl spells it."""
    return strategies.fixed_dictionaries({}, optional={name.replace("_", "-"): of for name, of in fields.items()})


def _either(*values: object) -> strategies.SearchStrategy[Any]:
    return strategies.sampled_from(values)


def _encoded(content: bytes) -> list[dict[str, Any]]:
    return [
        {"certificate-authority-data": encode(content).decode()} for encode in (base64.b64encode, base64.encodebytes)
    ]


# Never both file and data: kubectl refuses that, while we take the data, as its message says it will.
_AUTHORITIES = _either(
    *_encoded(_CA.certificate),
    *({"certificate-authority": named} for named in ("pki/ca.crt", "pki/missing", "", None)),
    {"certificate-authority": "pki/ca.crt", "certificate-authority-data": ""},
    {},
)
_CLUSTERS = strategies.builds(
    lambda more, authority, server: {**more, **authority, "server": server},
    _fields(
        tls_server_name=_either("edge", "", None),
        proxy_url=_either("http://proxy:3128", "socks5://proxy:1080", ""),
        disable_compression=strategies.none() | strategies.booleans(),
        extensions=_either(None, [], [{"name": "x", "extension": {"a": None}}]),
        unknown=_either(1, {"a": []}),
    ),
    _AUTHORITIES,
    _either("https://edge:6443", "https://[::1]:6443/k8s/c-1"),
)
_CERTIFIED = _either(
    {},
    {"client-certificate": "pki/me.crt", "client-key": "pki/me.key"},
    {"client-certificate-data": base64.b64encode(_PAIR.certificate).decode(), "client-key": "./pki/../pki/me.key"},
    {"client-certificate": "pki/me.crt", "client-key": "pki/missing"},
)
_USERS = strategies.builds(
    lambda more, certified: {**more, **certified},
    _fields(
        token=_either("t0ken", "", None),
        tokenFile=_either("token", "", None),
        username=_either("", None),
        exec=_either(None),
        unknown=_either("x"),
    ),
    _CERTIFIED,
)
_ACTING = _either(
    {}, {"as": "boss"}, {"as": "boss", "as-uid": "7", "as-groups": ["b", "a"], "as-user-extra": {"k/1": ["x", "y"]}}
)


@strategies.composite
def _configs(draw: strategies.DrawFn) -> dict[str, Any]:
    """Kubeconfigs of two of each, where names may be given twice or lead nowhere."""
    names = _either(["a", "b"], ["a", "b"], ["a", "b"], ["a", "a"])
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": draw(_CLUSTERS)} for name in draw(names)],
        "users": [{"name": name, "user": draw(_USERS) | draw(_ACTING)} for name in draw(names)],
        "contexts": [
            {"name": name, "context": {"cluster": draw(_either("a", "a", "b")), "user": draw(_either("a", "b", "c"))}}
            for name in draw(names)
        ],
        "current-context": draw(_either("a", "a", "b", "c")),
        **draw(_fields(preferences=_either({}, None), extensions=_either(None), unknown=_either(1, None))),
    }


def _by_kubectl(path: pathlib.Path) -> dict[str, Any] | None:
    """Return what kubectl makes of a file's current context, with what it points to; None where it refuses."""
    binary = shutil.which(os.environ.get("FLEETCTL_KUBEBOX", "kubebox"))
    assert binary is not None
    view = [binary, "kubectl", f"--kubeconfig={path}", "config", "view"]
    command = [*view, "--minify", "--flatten", "--raw", "-o", "json"]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    return json.loads(done.stdout) if done.returncode == 0 else None


def _acting(user: dict[str, Any]) -> list[tuple[str, str]]:
    extra = user.get("as-user-extra") or {}
    said = [("Impersonate-User", user.get("as")), ("Impersonate-Uid", user.get("as-uid"))]
    said += [("Impersonate-Group", group) for group in user.get("as-groups") or ()]
    said += [(f"Impersonate-Extra-{key.replace('/', '%2F')}", value) for key in extra for value in extra[key]]
    return [(name, value) for name, value in said if value]


@pytest.mark.kubebox
@hypothesis.settings(max_examples=60, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate])
@hypothesis.given(config=_configs(), as_yaml=strategies.booleans())
def test_kubectl_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any], *, as_yaml: bool
) -> None:
    """Address, authority, name, proxy, credentials and impersonation are kubectl's; what it refuses, we refuse."""
    folder = tmp_path_factory.mktemp("config")
    (folder / "pki").mkdir()
    for name, content in _FILES.items():
        (folder / name).write_bytes(content)
    path = folder / "kubeconfig"
    path.write_text(f"---\n{json.dumps(config)}" if as_yaml else json.dumps(config), encoding="utf-8")
    found = _by_kubectl(path)
    ours: transport.Endpoint | None
    try:
        ours = kubeconfigs.Files().endpoint(path, None)
    except errors.NotConfigured:
        ours = None
    if found is None or not found.get("users"):  # a user that is not there is nobody to kubectl, and a fault to us
        assert ours is None
        return
    assert ours is not None
    cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
    raw = {name: base64.b64decode(held.get(name, "")) for held in (cluster, user) for name in held if "-data" in name}
    assert (ours.server, ours.ca) == (cluster["server"], raw.get("certificate-authority-data"))
    assert (ours.server_name, ours.proxy) == (cluster.get("tls-server-name", ""), cluster.get("proxy-url", ""))
    assert ours.token == ("by-file" if user.get("tokenFile") else user.get("token", ""))
    assert ours.client_cert == raw.get("client-certificate-data", b"")
    assert ours.client_key == raw.get("client-key-data", b"")
    assert sorted(ours.impersonation) == sorted(_acting(user))
