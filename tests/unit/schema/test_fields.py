"""Single fields: what each kind of text may be, by example."""

from typing import Any

import pydantic
import pytest

from fleetctl.model import values
from fleetctl.schema import fields

GOOD: dict[str, tuple[Any, list[str]]] = {
    "address": (
        fields.Address,
        ["10.44.1.10", "::1", "2001:db8::7", "fe80::1%eth0", "store", "n0.store-1.example", "1store.example"],
    ),
    "cron": (
        fields.Cron,
        [
            "* * * * *",
            "0 2 * * *",
            "59 23 31 12 7",
            "0,30 1-5 * 1,6-9 0",
            "*/15 0-23/2 1-15/3 * 1-5",
            "  0 2  * * * ",
            "05 09 01 01 *",
            "*/05 * * * *",
        ],
    ),
    "dns-label": (fields.DnsLabel, ["a", "store-00412", "0", "a" * 63]),
    "duration": (fields.Duration, ["3h", "1h30m", "90m", "45s", "1d", "1d2h3m4s", "0h30m"]),
    "endpoint": (
        fields.Endpoint,
        ["https://10.0.0.1:6443", "https://[2001:db8::1]:6443", "https://api.example", "https://hub.example/k8s/c-1"],
    ),
    "host-key": (
        fields.HostKey,
        [
            "SHA256:" + "A" * 43,
            "SHA256:" + "a+/9" * 10 + "abc=",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE",
            "ecdsa-sha2-nistp256 AAAAE2Vj=",
            "sk-ssh-ed25519@openssh.com AAAAGnNr",
        ],
    ),
    "kubernetes-version": (
        fields.KubernetesVersion,
        ["v1.36.3+k3s1", "1.36", "v1.36", "1.36.0", "1.36/stable", "v1.36.0-rc.1+k3s1"],
    ),
    "label-key": (fields.LabelKey, ["ring", "example.com/tier", "A_b.c-9"]),
    "label-value": (fields.LabelValue, ["", "NO", "a_b.c-9", "x" * 63]),
    "match": (fields.Match, ["", "env=prod", "ring in (0,1),!dark", "ring>3"]),
    "proxy": (
        fields.Proxy,
        ["http://10.0.0.1:3128", "https://proxy.example/", "socks5://10.0.0.1:1080", "socks5h://proxy.example"],
    ),
    "semantic-version": (fields.SemanticVersion, ["1.4.0", "0.0.1-rc.1", "1.0.0+build.7"]),
    "timezone": (fields.Timezone, ["UTC", "Europe/Oslo", "America/Argentina/Ushuaia"]),
}
BAD: dict[str, tuple[Any, list[str]]] = {
    "address": (
        fields.Address,
        ["", "10.0.0.256", "10.0.0", "10.0.0.01", "a_b", "-a", "a..b", "10.0.0.1:22", "user@host", "host name", "::g"],
    ),
    "cron": (
        fields.Cron,
        [
            "",
            "0 2 * *",
            "0 2 * * * *",
            "@daily",
            "60 2 * * *",
            "0 24 * * *",
            "0 2 0 * *",
            "0 2 * 13 *",
            "0 2 * * 8",
            "0 2 * * mon",
            "*/0 * * * *",
            "5-2 * * * *",
            "1,,2 * * * *",
            "-1 * * * *",
            "1- * * * *",
            "*/ * * * *",
            "**/2 * * * *",
            "100 * * * *",
            "٣ * * * *",
        ],
    ),
    "dns-label": (fields.DnsLabel, ["", "A", "a_b", "-a", "a-", "a.b", "a" * 64, "a\n"]),
    "duration": (fields.Duration, ["", "3", "3 h", "h", "1.5h", "30m1h", "-1h", "0h", "0d0s", "1w", "3h\n"]),
    "endpoint": (
        fields.Endpoint,
        [
            "",
            "10.0.0.1:6443",
            "http://10.0.0.1:6443",
            "https://",
            "https://:6443",
            "https://user@host",
            "https://user:word@host",
            "https://host?x=1",
            "https://host#x",
            "https://host:0",
            "https://host:65536",
            "https://host:port",
            "https://2001:db8::1",
            "https://a b",
        ],
    ),
    "host-key": (
        fields.HostKey,
        ["", "SHA256:short", "SHA256:" + "A" * 44, "MD5:aa:bb", "ssh-ed25519", "rsa AAAA", "host ssh-ed25519 AAAA"],
    ),
    "kubernetes-version": (fields.KubernetesVersion, ["", "latest", "1", "v1", "1.x", "1.36/Stable", "stable"]),
    "label-key": (fields.LabelKey, ["", "-a", "a/", "/a", "A.example/x", "a/b/c", "a b", "x" * 64]),
    "label-value": (fields.LabelValue, ["-a", "a b", "æ", "x" * 64]),
    "match": (fields.Match, ["env in", "=", "state=active", "!distribution", "env=prod,state"]),
    "proxy": (fields.Proxy, ["", "10.0.0.1:3128", "ftp://x", "http://", "http://a b", "socks4://x"]),
    "semantic-version": (fields.SemanticVersion, ["", "1", "1.2", "v1.2.3", "1.2.3.4", "latest"]),
    "timezone": (fields.Timezone, ["", "Oslo", "Europe", "europe/oslo ", "../etc/passwd", "/etc/localtime", "a\0b"]),
}


def _cases(table: dict[str, tuple[Any, list[str]]]) -> list[Any]:
    return [
        pytest.param(shape, text, id=f"{name}-{index}")
        for name, (shape, texts) in table.items()
        for index, text in enumerate(texts)
    ]


@pytest.mark.parametrize(("shape", "text"), _cases(GOOD))
def test_good_values_stay_as_they_are(shape: Any, text: str) -> None:  # noqa: ANN401  # annotated types have no type
    """What is fine is returned unchanged."""
    assert pydantic.TypeAdapter(shape).validate_python(text) == text


@pytest.mark.parametrize(("shape", "text"), _cases(BAD))
def test_bad_values_are_refused_in_our_words(shape: Any, text: str) -> None:  # noqa: ANN401
    """What is wrong is refused with a sentence of ours, which names the text or the place in it."""
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(shape).validate_python(text)
    (fault,) = caught.value.errors()
    assert "said" in fault["ctx"]
    assert fault["msg"] == fault["ctx"]["said"]


@pytest.mark.parametrize("unset", [{}, {"a": values.UNSET}, {"a": {"b": values.UNSET}, "list": [1, {"c": [2]}]}])
def test_unset_may_stand_where_maps_are_merged(unset: dict[str, object]) -> None:
    """In maps, at any depth, ``!unset`` takes a key away."""
    assert pydantic.TypeAdapter(fields.Free).validate_python(unset) == unset


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ({"a": [values.UNSET]}, ("a", 0)),
        ({"a": [1, {"b": values.UNSET}]}, ("a", 1, "b")),
        ({"ok": values.UNSET, "a": {"b": [[1], [2, values.UNSET]]}}, ("a", "b", 1, 1)),
    ],
)
def test_unset_inside_a_list_is_refused_at_its_place(written: dict[str, object], place: tuple[object, ...]) -> None:
    """Lists are not merged, so there is nothing below that could be taken away."""
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(fields.Free).validate_python(written)
    assert caught.value.errors()[0]["ctx"]["below"] == place
