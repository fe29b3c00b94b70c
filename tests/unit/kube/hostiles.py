"""What servers say that no API server should: each case is bytes on a connection, and what becomes of the request."""

import time
import zlib
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from fleetctl.kube import answers
from tests.unit.kube import wires

__all__ = ["BOMBS", "CASES", "HANDSHAKES", "PATH", "TOKEN", "Case", "said"]

PATH = "/api/v1/namespaces/shop/configmaps/a"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl"  # noqa: S105 - nobody's
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
TAKEN = ""
"""The answer is taken."""


class Case(NamedTuple):
    """One thing that a server does."""

    name: str
    serve: wires.Behaviour
    reason: str
    """The failure's, or ``TAKEN``."""
    seconds: float = 10.0
    """For all of the request."""


def said(
    first: bytes,
    more: bytes = b"",
    then: Literal["close", "hold", "reset"] = "close",
    *,
    drip: bool = False,
) -> wires.Behaviour:
    """Answer every request so: the first bytes (one by one if dripping), more of the others without end, an end."""

    def serve(connection: wires.Connection) -> None:
        if connection.request() is None:
            return
        for piece in [first[at : at + 1] for at in range(len(first))] if drip else [first]:
            connection.send(piece)
            if drip:
                time.sleep(0.005)
        while more:
            connection.send(more)
            if drip:
                time.sleep(0.005)
        if then == "hold":
            connection.until_closed()
        elif then == "reset":
            connection.reset()

    return serve


def _endless() -> Iterator[Case]:
    large = "AnswerTooLarge"
    for name, first, more in (
        ("body until it closes", OK + b"\r\n", b"x" * 9999),
        ("announced body", OK + b"Content-Length: 99999999999\r\n\r\n", b"x" * 9999),
        ("chunks", CHUNKED, b"1\r\nx\r\n" * 999),
        ("one chunk", CHUNKED + b"FFFFFFFF\r\n", b"x" * 9999),
        ("headers", OK, b"X: yyyyyyyyyyyyyyyyyyyy\r\n" * 99),
        ("one header", OK + b"X: ", b"y" * 9999),
        ("folded header", OK + b"X: y\r\n", b" y\r\n" * 999),
        ("status line", b"HTTP/1.1 200 ", b"y" * 9999),
        ("interim answers", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99),
        ("early hints", b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 99),
        ("trailers", CHUNKED + b"1\r\nx\r\n0\r\n", b"X: y\r\n" * 99),
    ):
        yield Case(f"endless {name}", said(first, more), large)
    yield Case("endless chunk extension", said(CHUNKED + b"1;", b"x" * 9999), "AnswerStalled")
    yield Case("endless chunk size", said(CHUNKED, b"0" * 9999), "NotHTTP")
    yield Case("endless something", said(b"", b"\0\xff" * 999), "NotHTTP")


def _slow() -> Iterator[Case]:
    whole = wires.answer(b'{"metadata":{}}', headers="X: " + "y" * 500 + "\r\n")
    yield Case("byte at a time", said(whole, drip=True), "AnswerTooSlow", 0.5)
    yield Case("body byte at a time, without end", said(OK + b"\r\n", b"x", drip=True), "AnswerTooSlow", 0.5)
    yield Case("headers byte at a time, without end", said(OK, b"X: y\r\n", drip=True), "AnswerTooSlow", 0.5)
    yield Case("interim answers, one at a time", said(b"HTTP/1.1 100 C\r\n\r\n" * 999, drip=True), "AnswerTooSlow", 0.5)
    yield Case("nothing", said(b"", then="hold"), "ReadTimeout")
    yield Case("half a status line", said(b"HTTP/1.1 2", then="hold"), "ReadTimeout")
    yield Case("half the headers", said(OK + b"X: y\r\n", then="hold"), "AnswerStalled")
    yield Case("an interim answer alone", said(b"HTTP/1.1 100 Continue\r\n\r\n", then="hold"), "AnswerStalled")
    yield Case("half a body", said(OK + b"Content-Length: 9\r\n\r\n{", then="hold"), "AnswerStalled")
    yield Case("half a chunk", said(CHUNKED + b"9\r\n{", then="hold"), "AnswerStalled")
    yield Case("no last chunk", said(CHUNKED + b"2\r\n{}\r\n", then="hold"), "AnswerStalled")


def _framed() -> Iterator[Case]:
    body = b'{"metadata":{}}'
    size = b"Content-Length: %d\r\n" % len(body)
    not_http, closed, unreadable = "NotHTTP", "ConnectionClosed", "UnreadableAnswer"
    for name, first, reason in (
        ("too short a length", OK + b"Content-Length: 5\r\n\r\n" + body, unreadable),
        ("too long a length", OK + b"Content-Length: 99\r\n\r\n" + body, closed),
        ("a negative length", OK + b"Content-Length: -1\r\n\r\n" + body, not_http),
        ("a length that is none", OK + b"Content-Length: many\r\n\r\n" + body, not_http),
        ("a length beyond numbers", OK + b"Content-Length: 99999999999999999999\r\n\r\n" + body, "AnswerTooLarge"),
        ("two lengths", OK + b"Content-Length: 3\r\n" + size + b"\r\n" + body, not_http),
        ("two lengths in one", OK + b"Content-Length: 15, 3\r\n\r\n" + body, not_http),
        ("a length and chunks", OK + size + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", TAKEN),
        ("chunks that are none", CHUNKED + b"zz\r\n" + body, not_http),
        ("a negative chunk", CHUNKED + b"-1\r\n" + body, not_http),
        ("a chunk beyond numbers", CHUNKED + b"F" * 17 + b"\r\n" + body, not_http),
        ("an unknown encoding", OK + b"Transfer-Encoding: rot13\r\n\r\n" + body, not_http),
        ("HTTP/0.9", body, not_http),
        ("HTTP/2's first frame", b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\x10\0\0\0\x06\0\0\x40\0", not_http),
        ("HTTP/2's status line", b"HTTP/2 200\r\n" + size + b"\r\n" + body, TAKEN),
        ("HTTP/3's status line", b"HTTP/3 200\r\n" + size + b"\r\n" + body, TAKEN),
        ("HTTP/7.7", b"HTTP/7.7 200 OK\r\n" + size + b"\r\n" + body, not_http),
        ("status 999", b"HTTP/1.1 999 Odd\r\n" + size + b"\r\n" + body, "HTTP999"),
        ("status 600", b"HTTP/1.1 600 Odd\r\n" + size + b"\r\n" + body, "HTTP600"),
        ("status 000", b"HTTP/1.1 000 Odd\r\n" + size + b"\r\n" + body, not_http),
        ("status 099", b"HTTP/1.1 099 Odd\r\n" + size + b"\r\n" + body, not_http),
        ("status -1", b"HTTP/1.1 -1 Odd\r\n" + size + b"\r\n" + body, not_http),
        ("status 20", b"HTTP/1.1 20 Odd\r\n" + size + b"\r\n" + body, not_http),
        ("status 2000", b"HTTP/1.1 2000 Odd\r\n" + size + b"\r\n" + body, TAKEN),
        ("no status", b"HTTP/1.1\r\n" + size + b"\r\n" + body, not_http),
        ("garbage before the status", b"garbage\r\n" + OK + size + b"\r\n" + body, not_http),
        ("an empty line before the status", b"\r\n" + OK + size + b"\r\n" + body, not_http),
        ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n", not_http),
        ("a radio station", b"ICY 200 OK\r\n" + size + b"\r\n" + body, not_http),
        ("other protocols from here", b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n" + body, closed),
        ("no content, and some", b"HTTP/1.1 204 No\r\n" + size + b"\r\n" + body, unreadable),
        ("a NUL in a header", OK + b"X: a\0b\r\n" + size + b"\r\n" + body, not_http),
        ("a header without a colon", OK + b"nothing\r\n" + size + b"\r\n" + body, not_http),
        ("a header of other letters", OK + b"X: \xff\xfe\r\n" + size + b"\r\n" + body, TAKEN),
    ):
        yield Case(name, said(first), reason)


def _contents() -> Iterator[Case]:
    unreadable = "UnreadableAnswer"
    for name, body, reason in (
        ("nothing at all", b"", unreadable),
        ("a web page", b"<!doctype html><title>Log in</title>", unreadable),
        ("null", b"null", unreadable),
        ("a list", b"[]", unreadable),
        ("half of it", b'{"metadata":{"name":"a"', unreadable),
        ("two of it", b'{"metadata":{}}{"metadata":{}}', unreadable),
        ("a byte order mark", b'\xef\xbb\xbf{"metadata":{}}', unreadable),
        ("UTF-16", '{"metadata":{}}'.encode("utf-16"), unreadable),
        ("letters that are none", b'{"metadata":{"name":"\xff\xfe"}}', unreadable),
        ("half a pair of letters", b'{"metadata":{"name":"\\ud800"}}', unreadable),
        ("NULs", b'{"metadata":{"name":"a\0b"}}', unreadable),
        ("NULs that are written", b'{"metadata":{"name":"a\\u0000b"}}', TAKEN),
        ("keys twice", b'{"metadata":{"name":1},"metadata":{"name":"b"}}', unreadable),
        ("nesting", b'{"spec":' + b"[" * 100_000 + b"]" * 100_000 + b"}", unreadable),
        ("open nesting", b'{"a":' * 100_000, unreadable),
        ("a number of many digits", b'{"metadata":{"generation":' + b"9" * 100_000 + b"}}", unreadable),
        ("a number beyond numbers", b'{"metadata":{"generation":1e999}}', unreadable),
        ("not a number", b'{"metadata":{"generation":NaN}}', unreadable),
        ("YAML", b"metadata: {name: a}", unreadable),
    ):
        yield Case(name, said(wires.answer(body)), reason)
    for field in msgspec.structs.fields(answers.Meta):
        for wrong in (b"7.5", b'{"a":[]}', b"[[]]", b'[{"uid":[]}]', b"true"):
            body = b'{"metadata":{"%b":%b}}' % (field.name.encode(), wrong)
            yield Case(f"{field.name} that is {wrong.decode()}", said(wires.answer(body)), unreadable)
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip", "x-unknown"):
        bomb = wires.answer(_BOMB, headers=f"Content-Encoding: {coding}\r\n")
        yield Case(f"compressed by {coding}", said(bomb), unreadable)
    wrapped = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n%x\r\n" % len(_BOMB) + _BOMB + b"\r\n0\r\n\r\n"
    )
    yield Case("compressed on the way", said(wrapped), "NotHTTP")


def _bomb() -> bytes:
    """Return 64 MiB of zeros, compressed."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(64)), packer.flush()])


_BOMB = _bomb()


def _handshakes() -> Iterator[Case]:
    """Without TLS of its own: what is said to our ClientHello."""

    def to_hello(data: bytes, *, hold: bool = False) -> wires.Behaviour:
        def serve(connection: wires.Connection) -> None:
            connection.receive()
            connection.send(data)
            if hold:
                connection.until_closed()

        return serve

    failed = "TLSHandshakeFailed"
    hello = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"
    yield Case("an answer in plain text", to_hello(b"HTTP/1.1 400 Bad Request\r\n\r\n"), failed)
    yield Case("bytes that are no TLS", to_hello(b"\0" * 5000), failed)
    yield Case("a fatal alert", to_hello(b"\x15\x03\x03\x00\x02\x02\x28"), failed)
    yield Case("alerts that warn", to_hello(b"\x15\x03\x03\x00\x02\x01\x5a" * 100), failed)
    yield Case("an end before any word", to_hello(b""), failed)
    yield Case("half a hello", to_hello(hello), failed)
    yield Case("half a hello and silence", to_hello(hello, hold=True), "TLSHandshakeTimeout")
    yield Case("a record of 64 KiB", to_hello(b"\x16\x03\x03\xff\xff" + bytes(65535)), failed)
    yield Case("an old protocol", to_hello(b"\x16\x03\x00\x00\x2a\x02\x00\x00\x26\x03\x00" + bytes(36)), failed)


def _after_tls() -> Iterator[Case]:
    def garbage(connection: wires.Connection) -> None:
        connection.request()
        connection.send_outside(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def alert(connection: wires.Connection) -> None:
        connection.request()
        connection.send(OK + b"Content-Length: 99\r\n\r\n{")
        connection.send_outside(b"\x15\x03\x03\x00\x02\x02\x28")

    yield Case("plain text where TLS should be", garbage, "ConnectionClosed")
    yield Case("an alert in plain text, half-way", alert, "ConnectionClosed")


def _bombs() -> Iterator[Case]:
    """Whole and well-formed, and far larger in memory than on the wire."""
    fill = 15_000_000
    for name, head, unit, tail, reason in (
        ("managed fields", b'{"metadata":{"managedFields":[', b'{"manager":"kubelet"},', b"{}]}}", TAKEN),
        ("owners", b'{"metadata":{"ownerReferences":[', b"{},", b"{}]}}", "AnswerTooLarge"),
        ("numbers", b'{"spec":[', b"0,", b"0]}", "AnswerTooLarge"),
        ("lists", b'{"spec":[', b"[],", b"0]}", "AnswerTooLarge"),
        ("lists in lists", b'{"spec":[', b"[" * 500 + b"]" * 500 + b",", b"0]}", "AnswerTooLarge"),
    ):
        body = head + unit * (fill // len(unit)) + tail
        yield Case(f"bomb of {name}", said(wires.answer(body)), reason)
    labels = b",".join(b'"%x":""' % number for number in range(1_300_000))
    yield Case("bomb of labels", said(wires.answer(b'{"metadata":{"labels":{' + labels + b"}}}")), TAKEN)


CASES = [*_endless(), *_slow(), *_framed(), *_contents(), *_after_tls()]
HANDSHAKES = [*_handshakes()]
BOMBS = [*_bombs()]
