"""What goes wrong with files, age, SOPS, Vault and keyrings, each by its code."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable

import keyring
import pyrage
import pytest

from fleetctl.model import codes
from fleetctl.secrets import ages, keyrings, masking, providers, resolving, vaults
from tests.unit.secrets import keepers
from tests.unit.web import serving

NOT_FOUND, REFUSED = codes.Code.SECRET_NOT_FOUND, codes.Code.SECRET_REFUSED
BROKEN, DOWN = codes.Code.SECRET_BROKEN, codes.Code.SECRET_UNAVAILABLE
UNSET, BAD = codes.Code.SECRET_NOT_CONFIGURED, codes.Code.SECRET_BAD_VALUE
SOPS = shutil.which("sops")


def _fault(folder: pathlib.Path, provider: str, key: str, **variables: str) -> providers.Fault:
    with contextlib.ExitStack() as stack, pytest.raises(providers.Fault) as caught:
        resolving.shipped(keepers.around(folder, **variables))[provider].fetch(key, stack)
    assert caught.value.__cause__ is None
    assert "s3cret" not in caught.value.message
    return caught.value


def _value(folder: pathlib.Path, provider: str, key: str, **variables: str) -> bytes:
    with contextlib.ExitStack() as stack:
        return resolving.shipped(keepers.around(folder, **variables))[provider].fetch(key, stack).reveal()


def _write(path: pathlib.Path, text: bytes, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    path.chmod(mode)


@pytest.mark.parametrize(("mode", "open_to_others"), [(0o600, False), (0o400, False), (0o640, False), (0o660, True)])
def test_files_of_others(mode: int, open_to_others: bool, tmp_path: pathlib.Path) -> None:  # noqa: FBT001  # a case
    """A file's group may read it; nobody else may, and only the owner may write."""
    _write(tmp_path / "token", b"s3cret", mode)
    if open_to_others:
        assert _fault(tmp_path, "file", "token").code is codes.Code.SECRET_EXPOSED
    else:
        assert _value(tmp_path, "file", "token") == b"s3cret"
    (tmp_path / "token").chmod(0o604)
    assert _fault(tmp_path, "file", "token").message == (
        "token can be read or changed by others (mode 0604); chmod 600 token"
    )


def test_files_are_found(tmp_path: pathlib.Path) -> None:
    """From the project's folder, from the home folder, and by their whole path."""
    _write(tmp_path / "home" / "a" / "token", b"s3cret\n")
    for key in ("home/a/token", "~/a/token", str(tmp_path / "home/a/token")):
        assert _value(tmp_path, "file", key) == b"s3cret"


def test_what_is_no_file(tmp_path: pathlib.Path) -> None:
    """A folder and a pipe without a writer are no files, and nobody waits for them."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for key in ("pipe", "."):
        assert _fault(tmp_path, "file", key).code is NOT_FOUND


def test_age_of_somebody_else(tmp_path: pathlib.Path) -> None:
    """A file that the identities at hand do not open."""
    stranger, own = (pyrage.x25519.Identity.generate() for _ in range(2))
    _write(tmp_path / "a.age", pyrage.encrypt(b"s3cret", [stranger.to_public()]))
    one = _fault(tmp_path, "age", "a.age", FLEETCTL_AGE_IDENTITIES=str(own))
    assert (one.code, one.message, one.whole) == (REFUSED, "the identity at hand does not open a.age", False)
    two = _fault(tmp_path, "age", "a.age", FLEETCTL_AGE_IDENTITIES=f"{own}\n{own}")
    assert two.message == "none of the 2 identities at hand opens a.age"


def test_age_files_that_are_damaged(tmp_path: pathlib.Path) -> None:
    """Plain text, a cut file, armour around nothing, and content that no path leads into."""
    own = pyrage.x25519.Identity.generate()
    whole = pyrage.encrypt(b"s3cret: [", [own.to_public()])
    armoured = b"-----BEGIN AGE ENCRYPTED FILE-----\n!!!\n-----END AGE ENCRYPTED FILE-----\n"
    for text in (b"s3cret", whole[:-5], b"", armoured):
        _write(tmp_path / "a.age", text)
        assert _fault(tmp_path, "age", "a.age", FLEETCTL_AGE_IDENTITIES=str(own)).code is BROKEN
    _write(tmp_path / "a.age", whole)
    inside = _fault(tmp_path, "age", "a.age#db.password", FLEETCTL_AGE_IDENTITIES=str(own))
    assert (inside.code, inside.message) == (
        BROKEN,
        "a.age holds no single YAML 1.2 or JSON document to look into, line 2",
    )


def test_age_without_an_identity(tmp_path: pathlib.Path) -> None:
    """It is said where identities are looked for; one that others can read is refused."""
    _write(tmp_path / "a.age", b"")
    none = _fault(tmp_path, "age", "a.age")
    assert (none.code, none.whole) == (UNSET, True)
    assert ages.DEFAULT_IDENTITIES in none.message
    assert _fault(tmp_path, "age", "a.age", FLEETCTL_AGE_IDENTITIES="AGE-SECRET-KEY-1s3cret").code is UNSET
    _write(tmp_path / "open", b"s3cret", 0o644)
    assert _fault(tmp_path, "age", "a.age", FLEETCTL_AGE_IDENTITIES_FILE="open").code is codes.Code.SECRET_EXPOSED


def test_values_inside_a_file(tmp_path: pathlib.Path) -> None:
    """Numbers and booleans are spelled as YAML spells them; maps, lists and null are no secrets; opened once."""
    own = pyrage.x25519.Identity.generate()
    text = b'pin: 1234\nready: true\nmap: {a: 1}\nlist: ["x"]\nnone: null\n'
    _write(tmp_path / "a.age", pyrage.encrypt(text, [own.to_public()]))
    given = {"FLEETCTL_AGE_IDENTITIES": str(own)}
    assert _value(tmp_path, "age", "a.age#pin", **given) == b"1234"
    assert _value(tmp_path, "age", "a.age#ready", **given) == b"true"
    assert _value(tmp_path, "age", "a.age#list[0]", **given) == b"x"
    for path in ("map", "list", "none"):
        assert _fault(tmp_path, "age", f"a.age#{path}", **given).code is BAD
    assert _fault(tmp_path, "age", "a.age#a..b", **given).code is NOT_FOUND
    provider = resolving.shipped(keepers.around(tmp_path, **given))["age"]
    with contextlib.ExitStack() as stack:
        provider.fetch("a.age#pin", stack)
        (tmp_path / "a.age").unlink()
        assert provider.fetch("a.age#list[0]", stack) == masking.Secret(b"x")


def test_age_as_the_other_tools_write_it(tmp_path: pathlib.Path) -> None:
    """SSH keys open what was encrypted for them."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)  # noqa: S607
    (tmp_path / "id").chmod(0o600)
    recipient = (tmp_path / "id.pub").read_text().strip()
    _write(tmp_path / "a.age", ages.encrypted(masking.Secret(b"s3cret"), [recipient]))
    assert _value(tmp_path, "age", "a.age", FLEETCTL_AGE_IDENTITIES_FILE="id") == b"s3cret"


def test_sops_without_its_binary(tmp_path: pathlib.Path) -> None:
    """It is named, once for the whole provider."""
    fault = _fault(tmp_path, "sops", "a.yaml#b", PATH="/nowhere")
    assert (fault.code, fault.whole) == (UNSET, True)


@pytest.mark.parametrize(("status", "code"), [(128, REFUSED), (51, BROKEN), (52, BROKEN), (111, BROKEN), (1, BROKEN)])
def test_how_sops_ends(status: int, code: codes.Code, tmp_path: pathlib.Path) -> None:
    """Its exit codes are told in words; what it says is not."""
    _write(tmp_path / "bin" / "sops", f"#!/bin/sh\necho s3cret >&2\nexit {status}\n".encode(), 0o700)
    _write(tmp_path / "a.yaml", b"s3cret")
    assert _fault(tmp_path, "sops", "a.yaml#b", PATH=f"{tmp_path}/bin:/bin:/usr/bin").code is code
    assert _fault(tmp_path, "sops", "b.yaml", PATH=f"{tmp_path}/bin:/bin:/usr/bin").code is NOT_FOUND


@pytest.mark.skipif(SOPS is None, reason="the sops binary is not in the PATH")
def test_the_real_sops(tmp_path: pathlib.Path) -> None:
    """A file that SOPS encrypted for an age identity: values, the whole, a wrong key, a changed file."""
    own, stranger = (pyrage.x25519.Identity.generate() for _ in range(2))
    _write(tmp_path / "plain.yaml", b"db:\n  password: s3cret\n  pin: 1234\n")
    words = [str(SOPS), "encrypt", "--age", str(own.to_public()), str(tmp_path / "plain.yaml")]
    done = subprocess.run(words, check=True, capture_output=True)
    _write(tmp_path / "a.sops.yaml", done.stdout)
    given = {"SOPS_AGE_KEY": str(own)}
    assert _value(tmp_path, "sops", "a.sops.yaml#db.password", **given) == b"s3cret"
    assert _value(tmp_path, "sops", "a.sops.yaml#db.pin", **given) == b"1234"
    assert b"password: s3cret" in _value(tmp_path, "sops", "a.sops.yaml", **given)
    assert _fault(tmp_path, "sops", "a.sops.yaml#db.user", **given).code is NOT_FOUND
    assert _fault(tmp_path, "sops", "a.sops.yaml", SOPS_AGE_KEY=str(stranger)).code is REFUSED
    _write(tmp_path / "b.sops.yaml", done.stdout.replace(b"pin:", b"pen:"))
    assert _fault(tmp_path, "sops", "b.sops.yaml", **given).code is BROKEN


def _vault_fault(folder: pathlib.Path, behave: Callable[[serving.Handler], None], **changed: str) -> providers.Fault:
    with serving.serving(behave) as base:
        given = {"VAULT_ADDR": base, "VAULT_TOKEN": keepers.TOKEN, "VAULT_NAMESPACE": "retail", **changed}
        return _fault(folder, "vault", "edge/kv/pos/db#password", **given)


def test_vault_says_no(tmp_path: pathlib.Path) -> None:
    """A wrong token, a deleted version, a sealed store, a broken answer and another engine, each by its code."""
    kept = keepers.vault_answering({"pos/db": "deleted"})
    wrong = _vault_fault(tmp_path, kept, VAULT_TOKEN="s.other-s3cret")  # noqa: S106  # an example
    assert (wrong.code, wrong.whole) == (REFUSED, False)
    gone = _vault_fault(tmp_path, kept)
    assert (gone.code, gone.message) == (NOT_FOUND, "the newest version of edge/kv/pos/db was deleted")
    sealed = _vault_fault(tmp_path, serving.answer(503, b'{"errors": ["Vault is sealed"]}'))
    assert (sealed.code, sealed.whole) == (DOWN, True)
    assert _vault_fault(tmp_path, serving.answer(200, b"s3cret")).code is BROKEN
    assert _vault_fault(tmp_path, serving.answer(200, b'{"data": {"path": "other/"}}')).code is BROKEN
    assert _vault_fault(tmp_path, serving.answer(302, b"", Location="http://example.invalid/")).code is BROKEN
    field = _vault_fault(tmp_path, keepers.vault_answering({"pos/db": {"user": "s3cret"}}))
    assert (field.code, field.message) == (NOT_FOUND, "edge/kv/pos/db has no field password")
    lists = _vault_fault(tmp_path, keepers.vault_answering({"pos/db": {"password": ["s3cret"]}}))
    assert lists.code is BAD


def test_vault_that_cannot_be_asked(tmp_path: pathlib.Path) -> None:
    """No address, no token, an address in the clear, nobody there, and a CA that is none."""
    key, token = "edge/kv/pos/db#password", {"VAULT_TOKEN": keepers.TOKEN}
    local = {"VAULT_ADDR": "http://127.0.0.1:9"}
    cases = [
        (UNSET, {}),
        (UNSET, local),
        (UNSET, {"VAULT_ADDR": "http://vault.example.com", **token}),
        (UNSET, {"VAULT_ADDR": "https://", **token}),
        (UNSET, {**local, **token, "VAULT_CACERT": "/none"}),
        (DOWN, {**local, **token}),
    ]
    for code, given in cases:
        fault = _fault(tmp_path, "vault", key, **given)
        assert (fault.code, fault.whole) == (code, True), given
    assert _fault(tmp_path, "vault", "kv/../sys#a").code is NOT_FOUND


def test_vault_by_the_token_of_a_login(tmp_path: pathlib.Path) -> None:
    """The file that ``vault login`` writes does."""
    _write(tmp_path / "home" / ".vault-token", keepers.TOKEN.encode())
    with serving.serving(keepers.vault_answering({"pos/db": {"password": "s3cret"}})) as base:
        given = {"VAULT_ADDR": base, "VAULT_NAMESPACE": "retail"}
        assert _value(tmp_path, "vault", "edge/kv/pos/db#password", **given) == b"s3cret"


def test_vault_by_approle(tmp_path: pathlib.Path) -> None:
    """Role and secret id are sent once, in a body; a wrong pair is the operator's fault for the whole store."""
    asked: list[str] = []
    answering = keepers.vault_answering({"pos/db": {"password": "s3cret", "user": "pos"}})

    def behave(handler: serving.Handler) -> None:
        asked.append(handler.path)
        if handler.path != "/v1/auth/approle/login":
            return answering(handler)
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        right = body.replace(b" ", b"") == b'{"role_id":"r1","secret_id":"s1"}'
        login = b'{"auth": {"client_token": "%s"}}' % keepers.TOKEN.encode()
        return serving.answer(200 if right else 400, login if right else b"{}")(handler)

    with serving.serving(behave) as base, contextlib.ExitStack() as stack:
        given = {"VAULT_ADDR": base, "VAULT_NAMESPACE": "retail", "VAULT_ROLE_ID": "r1"}
        provider = vaults.Vault(keepers.around(tmp_path, **given, VAULT_SECRET_ID="s1"))  # noqa: S106  # an example
        assert provider.fetch("edge/kv/pos/db#password", stack) == masking.Secret(b"s3cret")
        assert provider.fetch("edge/kv/pos/db#user", stack) == masking.Secret(b"pos")
        assert len(asked) == 3  # login, mount, value: each once
        wrong = _fault(tmp_path, "vault", "edge/kv/pos/db#password", **given, VAULT_SECRET_ID="other")  # noqa: S106
    assert (wrong.code, wrong.whole) == (REFUSED, True)


def test_no_keyring(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the library nor a back end need be there; it is said which is missing."""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]  # ships few types
    try:
        none = _fault(tmp_path, "keyring", "fleetctl/pos")
    finally:
        keyring.set_keyring(before)
    assert (none.code, none.message) == (UNSET, "this machine has no keyring")
    monkeypatch.setitem(sys.modules, "keyring", None)
    missing = _fault(tmp_path, "keyring", "fleetctl/pos")
    assert (missing.code, missing.whole) == (UNSET, True)
    assert 'pip install "fleetctl[keyring]"' in missing.message


def test_a_keyring_that_fails(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What back ends raise is named by its kind, not by what it says."""

    def fail(*_: str) -> str:
        raise RuntimeError("s3cret")

    monkeypatch.setattr(keyring, "get_password", fail)
    fault = _fault(tmp_path, "keyring", "fleetctl/pos")
    assert (fault.code, fault.message) == (DOWN, "the keyring cannot be used (RuntimeError)")
    with pytest.raises(providers.Fault):
        keyrings.add("fleetctl/pos", masking.Secret(b"x"))
