"""Authorities of simulated sites."""

import ssl
import sys

from fleetctl.sim import authorities


def _shake(context: ssl.SSLContext, authority: bytes) -> ssl.SSLObject:
    """Let a client that trusts one authority connect in memory, and return its end."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.create_default_context(cadata=authority.decode())
    client = trusting.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    server = context.wrap_bio(to_server, to_client, server_side=True)
    ends = [client, server]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                continue
    return client


def test_a_certificate_is_made_when_somebody_connects() -> None:
    """Once, by the site's own authority, for loopback; the key is that of all."""
    key = authorities.new_key()
    one, two = authorities.Authority("a" * 200, key), authorities.Authority("b", key)
    assert one.certificate != two.certificate
    first, again = _shake(one.context, one.certificate), _shake(one.context, one.certificate)
    assert first.getpeercert(binary_form=True) == again.getpeercert(binary_form=True)
    assert first.version() == "TLSv1.3"
    other = _shake(two.context, two.certificate)
    assert other.getpeercert(binary_form=True) != first.getpeercert(binary_form=True)


def test_an_authority_is_small() -> None:
    """Thousands of sites that nobody looks at have no certificate to keep."""
    authority = authorities.Authority("a", authorities.new_key())
    assert authority.context.load is not None
    assert sys.getsizeof(authority.certificate) < 2000
