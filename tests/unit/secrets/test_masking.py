"""The masked value: no way of showing it shows it."""

import copy
import json
import pickle
import string
import traceback

import msgspec
import pytest

from fleetctl.secrets import masking

VALUE = "xyzzy-s3cret"
SECRET = masking.Secret(VALUE.encode())


def test_it_prints_masked() -> None:
    """Every format gives the mask."""
    ways = [
        repr(SECRET),
        str(SECRET),
        f"{SECRET} {SECRET!r} {SECRET!s} {SECRET!a} {SECRET:>20}",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031  # a way of showing it
        string.Template("$a").substitute(a=SECRET),
        str([SECRET]),
        str({"a": SECRET}),
    ]
    assert all(masking.SHOWN in shown and VALUE not in shown for shown in ways)


def test_it_cannot_be_encoded() -> None:
    """JSON and pickles refuse it; nothing of it is in what they say."""
    for encode in (json.dumps, msgspec.json.encode, pickle.dumps, lambda one: pickle.dumps([one], protocol=0)):
        with pytest.raises(TypeError) as caught:
            encode(SECRET)
        assert VALUE not in str(caught.value)


def test_tracebacks_do_not_show_it() -> None:
    """Not even one that prints local variables."""

    def fail(secret: masking.Secret) -> None:
        raise ValueError(secret)

    with pytest.raises(ValueError) as caught:  # noqa: PT011  # what it says is what is looked at
        fail(SECRET)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert masking.SHOWN in shown
    assert VALUE not in shown


def test_it_stays_itself() -> None:
    """It has no attributes to look at, does not change, and copies are the same object."""
    assert copy.copy(SECRET) is copy.deepcopy([SECRET])[0] is SECRET
    assert not hasattr(SECRET, "__dict__")
    with pytest.raises(AttributeError):
        SECRET.other = 1
    with pytest.raises(TypeError):
        hash(SECRET)
    assert masking.Secret(VALUE.encode()) == SECRET
    assert masking.Secret(b"other") != SECRET
    assert VALUE.encode() != SECRET


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"a\n", b"a"),
        (b"a\r\n", b"a"),
        (b"a\n\n", b"a\n"),
        (b"a", b"a"),
        (b"a\r", b"a\r"),
        (b" a \n", b" a "),
        (b"\xff\n", b"\xff\n"),
        (b"\n", b""),
    ],
)
def test_one_line_end_is_taken_off(given: bytes, kept: bytes) -> None:
    """Of text that a file or command gives, as shells do it; bytes stay bytes."""
    assert masking.Secret.of_output(given).reveal() == kept
