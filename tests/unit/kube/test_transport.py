"""Endpoints hold secrets and do not show them."""

import rich.pretty

from fleetctl.kube import transport

WORD = "s3cret"
ENDPOINT = transport.Endpoint(
    "https://edge-17:6443", b"ca", WORD, client_cert=WORD.encode(), client_key=WORD.encode(), proxy=f"http://u:{WORD}@p"
)


def test_endpoints_do_not_show_secrets() -> None:
    """Neither a log line nor a traceback drawn with its variables shows more than the address."""
    assert repr(ENDPOINT) == f"{ENDPOINT}" == "Endpoint(https://edge-17:6443)"
    assert WORD not in rich.pretty.pretty_repr({"endpoint": [ENDPOINT]})
