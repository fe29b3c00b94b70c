"""Kubeconfigs mean to us what they mean to kubectl: the same file, read by both."""

import base64
import json
import os
import pathlib
import subprocess
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies

from fleetctl.kube import endpoints, transport
from fleetctl.model import errors
from tests.kubebox import certificates, clusters

_CA = certificates.Authority("kubeconfigs")
_PAIR = _CA.client("rollout")
_FILES = {"pki/ca.crt": _CA.certificate, "pki/me.crt": _PAIR.certificate, "pki/me.key": _PAIR.key}


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


@strategies.composite
def _shares(draw: strategies.DrawFn) -> dict[str, Any]:
    """A file of a list, which need not have all that its contexts name."""
    names = strategies.lists(_either("a", "b"), unique=True)
    return {
        "clusters": [{"name": name, "cluster": draw(_CLUSTERS)} for name in draw(names)],
        "users": [{"name": name, "user": draw(_USERS) | draw(_ACTING)} for name in draw(names)],
        "contexts": [
            {"name": name, "context": {"cluster": draw(_either("a", "b")), "user": draw(_either("a", "b"))}}
            for name in draw(names)
        ],
        **draw(_fields(current_context=_either("a", "b", ""))),
    }


def _by_kubectl(binary: pathlib.Path, paths: list[pathlib.Path]) -> dict[str, Any] | None:
    """Return what kubectl makes of files' current context, with what it points to; None where it refuses."""
    single = [f"--kubeconfig={paths[0]}"] if len(paths) == 1 else []  # which must be there, unlike those of a list
    command = [str(binary), "kubectl", *single, "config", "view", "--minify", "--flatten", "--raw", "-o", "json"]
    variables = {**os.environ, "KUBECONFIG": os.pathsep.join(map(str, paths))}
    done = subprocess.run(command, env=variables, check=False, capture_output=True, timeout=60)
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
    kubebox: clusters.Fleet, tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any], *, as_yaml: bool
) -> None:
    """Address, authority, name, proxy, credentials and impersonation are kubectl's; what it refuses, we refuse."""
    path = _written(tmp_path_factory.mktemp("config"), config, as_yaml=as_yaml)
    _require_same(kubebox.binary, [path])


@pytest.mark.kubebox
@hypothesis.settings(max_examples=60, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate])
@hypothesis.given(configs=strategies.lists(_shares() | strategies.none(), min_size=2, max_size=4))
def test_kubectl_merges_the_same(
    kubebox: clusters.Fleet, tmp_path_factory: pytest.TempPathFactory, configs: list[dict[str, Any] | None]
) -> None:
    """Of several files the first that has a name wins, with paths relative to it, and missing ones are skipped."""
    folder, paths = tmp_path_factory.mktemp("configs"), []
    for number, config in enumerate(configs):
        place = folder / str(number)
        place.mkdir()
        paths.append(place / "kubeconfig" if config is None else _written(place, _apart(config, number), as_yaml=True))
    _require_same(kubebox.binary, paths)


def _apart(config: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a file whose clusters and token files tell which file of a list it is."""
    for one in config["clusters"]:
        one["cluster"]["server"] = f"https://edge-{number}"
    for one in config["users"]:
        if one["user"].get("tokenFile"):
            one["user"]["tokenFile"] = f"token-{number}"
    return config


def _written(folder: pathlib.Path, config: dict[str, Any], *, as_yaml: bool) -> pathlib.Path:
    """Write a kubeconfig and the files beside it."""
    (folder / "pki").mkdir()
    for name, content in _FILES.items():
        (folder / name).write_bytes(content)
    for user in config["users"]:
        if named := user["user"].get("tokenFile"):
            (folder / named).write_text(f"by-{named}", encoding="utf-8")
    path = folder / "kubeconfig"
    path.write_text(f"---\n{json.dumps(config)}" if as_yaml else json.dumps(config), encoding="utf-8")
    return path


def _require_same(binary: pathlib.Path, paths: list[pathlib.Path]) -> None:
    """Hold the current context as we read it against what kubectl makes of it."""
    found = _by_kubectl(binary, paths)
    ours: transport.Endpoint | None
    try:
        ours = endpoints.Endpoints().endpoint(paths, None)
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
    # kubectl shows it as it is written, so that only its name says which file's it is.
    proof = ours.prover.held() if ours.prover is not None else transport.Proof(ours.token)
    assert proof == transport.Proof(f"by-{user['tokenFile']}" if user.get("tokenFile") else user.get("token", ""))
    assert ours.client_cert == raw.get("client-certificate-data", b"")
    assert ours.client_key == raw.get("client-key-data", b"")
    assert sorted(ours.impersonation) == sorted(_acting(user))
