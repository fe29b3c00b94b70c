"""Label selectors: the grammar and the oddities of Kubernetes, the place of each fault, and what matches.

The tables hold what ``labels.Parse`` of k8s.io/apimachinery v0.36 answered for the same texts and labels.
"""

import contextlib
import re

import hypothesis
import pytest
from hypothesis import strategies as st

from fleetctl.model import selectors

DECLARED = {
    "env": "prod",
    "ring": "2",
    "empty": "",
    "in": "notin",
    "app.kubernetes.io/name": "pos",
    "neg": "-5",
}
LONGEST = "x" * 63


@pytest.mark.parametrize(
    ("text", "written", "matches"),
    [
        ("", "", True),
        (" \t\r\n", "", True),
        ("env", "env", True),
        ("empty", "empty", True),
        ("nope", "nope", False),
        ("!env", "!env", False),
        ("! nope", "!nope", True),
        ("env=prod", "env=prod", True),
        ("env\t=\nprod", "env=prod", True),
        ("env==prod", "env==prod", True),
        ("env!=prod", "env!=prod", False),
        ("env!=dev", "env!=dev", True),
        ("nope!=x", "nope!=x", True),
        ("env=", "env=", False),
        ("empty=", "empty=", True),
        ("empty==", "empty==", True),
        ("nope=", "nope=", False),
        ("env!=", "env!=", True),
        ("empty=,env", "empty=,env", True),
        ("env in (prod,dev)", "env in (dev,prod)", True),
        ("env in(prod,prod)", "env in (prod)", True),
        ("nope in (a)", "nope in (a)", False),
        ("env notin (prod)", "env notin (prod)", False),
        ("env notin (dev)", "env notin (dev)", True),
        ("nope notin (a)", "nope notin (a)", True),
        ("env in ()", "env in ()", False),
        ("empty in ()", "empty in ()", True),
        ("empty in (,)", "empty in ()", True),
        ("empty in (a,)", "empty in (,a)", True),
        ("empty in (,a)", "empty in (,a)", True),
        ("empty in (a,,b)", "empty in (,a,b)", True),
        ("in", "in", True),
        ("in=notin", "in=notin", True),
        ("in in (notin)", "in in (notin)", True),
        ("in notin (in)", "in notin (in)", True),
        ("notin", "notin", False),
        ("!notin", "!notin", True),
        ("env=in", "env=in", False),
        ("ring>1", "ring>1", True),
        ("ring>2", "ring>2", False),
        ("ring < 3", "ring<3", True),
        ("ring>007", "ring>007", False),
        ("env>1", "env>1", False),
        ("nope>1", "nope>1", False),
        ("nope<1", "nope<1", False),
        ("neg<0", "neg<0", True),
        ("ring>9223372036854775807", "ring>9223372036854775807", False),
        ("env=prod , ring=3", "env=prod,ring=3", False),
        ("ring,env,!nope", "env,!nope,ring", True),
        ("app.kubernetes.io/name=pos", "app.kubernetes.io/name=pos", True),
        ("A_b.c", "A_b.c", False),
        (LONGEST, LONGEST, False),
        (f"p.q/{LONGEST}={LONGEST}", f"p.q/{LONGEST}={LONGEST}", False),
    ],
)
def test_what_kubernetes_accepts(text: str, written: str, *, matches: bool) -> None:
    """A text that an API server accepts is accepted, normalised alike, and matches the same labels."""
    selector = selectors.parse(text)
    assert str(selector) == written
    assert selector.matches(DECLARED) is matches


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("=", 0, 'found "=" where a label key or ! was expected'),
        (",env", 0, 'found "," where a label key or ! was expected'),
        ("(env)", 0, 'found "(" where a label key or ! was expected'),
        ("env,", 4, 'found the end where a label key or ! after "," was expected'),
        ("env,,ring", 4, 'found "," where a label key or ! after "," was expected'),
        ("env=a=b", 5, 'found "=" where "," or the end was expected'),
        ("env in (a))", 10, 'found ")" where "," or the end was expected'),
        ("!env=prod", 4, 'found "=" where "," or the end was expected'),
        ("!env in (a)", 5, 'found "in" where "," or the end was expected'),
        ("!", 1, "found the end where a label key was expected"),
        ("!!env", 1, 'found "!" where a label key was expected'),
        ("env prod", 4, 'found "prod" where one of in notin = == != > < was expected'),
        ("env()", 3, 'found "(" where one of in notin = == != > < was expected'),
        ("env!", 3, 'found "!" where one of in notin = == != > < was expected'),
        ("env===prod", 5, 'found "=" where a label value was expected'),
        ("env=>1", 4, 'found ">" where a label value was expected'),
        ("env=(prod)", 4, 'found "(" where a label value was expected'),
        ("env in", 6, 'found the end where "(" was expected'),
        ("env notin prod", 10, 'found "prod" where "(" was expected'),
        ("env in (", 8, 'found the end where a label value, "," or ")" was expected'),
        ("env in (=)", 8, 'found "=" where a label value, "," or ")" was expected'),
        ("env in (prod", 12, 'found the end where "," or ")" was expected'),
        ("env in (prod dev)", 13, 'found "dev" where "," or ")" was expected'),
        ("ring>", 5, '> compares integers, and "" is none'),
        ("a,ring<1.5", 7, '< compares integers, and "1.5" is none'),
        ("ring>1_0", 5, '> compares integers, and "1_0" is none'),
        ("ring>\u0663", 5, '> compares integers, and "\u0663" is none'),
        ("ring>9223372036854775808", 5, '> compares integers, and "9223372036854775808" is none'),
    ],
)
def test_faults_are_placed(text: str, position: int, message: str) -> None:
    """A refused text says what was found where, and what could have stood there."""
    with pytest.raises(selectors.SelectorError, match=re.escape(message)) as caught:
        selectors.parse(text)
    assert (caught.value.position, caught.value.message) == (position, message)


@pytest.mark.parametrize(
    ("text", "position", "what"),
    [
        ("-env", 0, 'the label key "-env"'),
        ("a,env_", 2, 'the label key "env_"'),
        ("env/", 0, 'the label key "env/"'),
        ("/env", 0, "the label key \"/env\" has the prefix ''"),
        ("a/b/c=d", 0, "the label key \"a/b/c\" has the prefix 'a/b'"),
        ("A.b/c", 0, "the label key \"A.b/c\" has the prefix 'A.b'"),
        ("\u00e9", 0, 'the label key "\u00e9"'),
        (f"{LONGEST}x", 0, f'the label key "{LONGEST}x" is longer'),
        ("env=a-", 4, 'the label value "a-"'),
        ("env=a/b", 4, 'the label value "a/b"'),
        ("env='prod'", 4, "the label value \"'prod'\""),
        ("env=prod;ring=2", 4, 'the label value "prod;ring"'),
        ("env in (a, b-)", 11, 'the label value "b-"'),
        ("ring<-5", 5, 'the label value "-5"'),
        ("ring>+1", 5, 'the label value "+1"'),
        (f"env={LONGEST}x", 4, f'the label value "{LONGEST}x" is longer'),
    ],
)
def test_keys_and_values_are_label_text(text: str, position: int, what: str) -> None:
    """A key or value that no label can have is refused at its own place, even a number that > could compare."""
    with pytest.raises(selectors.SelectorError, match=f"^{re.escape(what)}") as caught:
        selectors.parse(text)
    assert caught.value.position == position


OPERATORS: tuple[selectors.Operator, ...] = ("=", "==", "!=", "in", "notin", "exists", "!", ">", "<")
KEYS = st.sampled_from(["a", "b", "in", "notin", "x.y/z", "A_1"])
VALUES = st.sampled_from(["", "a", "b", "in", "notin", "0", "1", "07", "12"])


@st.composite
def requirements(draw: st.DrawFn) -> selectors.Requirement:
    """Any requirement that a text can spell."""
    operator = draw(st.sampled_from(OPERATORS))
    values = {
        "exists": st.just(set[str]()),
        "!": st.just(set[str]()),
        "in": st.sets(VALUES, min_size=1),
        "notin": st.sets(VALUES, min_size=1),
        ">": st.sets(st.sampled_from(["0", "1", "07"]), min_size=1, max_size=1),
        "<": st.sets(st.sampled_from(["0", "1", "07"]), min_size=1, max_size=1),
    }.get(operator, st.sets(VALUES, min_size=1, max_size=1))
    return selectors.Requirement(draw(KEYS), operator, tuple(sorted(draw(values))))


def _holds(requirement: selectors.Requirement, declared: dict[str, str]) -> bool:
    """Say what a requirement means, in the words of the Kubernetes documentation."""
    given = {declared[requirement.key]} if requirement.key in declared else set()
    numbers = {int(value) for value in given if re.fullmatch("[0-9]+", value)}
    return {
        "=": bool(given & set(requirement.values)),
        "==": bool(given & set(requirement.values)),
        "in": bool(given & set(requirement.values)),
        "!=": not given & set(requirement.values),
        "notin": not given & set(requirement.values),
        "exists": bool(given),
        "!": not given,
        ">": any(number > int(bound) for number in numbers for bound in requirement.values if bound.isdigit()),
        "<": any(number < int(bound) for number in numbers for bound in requirement.values if bound.isdigit()),
    }[requirement.operator]


@hypothesis.given(st.lists(requirements(), max_size=4), st.dictionaries(KEYS, VALUES, max_size=5))
def test_written_selectors_are_read_back(parts: list[selectors.Requirement], declared: dict[str, str]) -> None:
    """``str`` and ``parse`` are inverse, and a selector matches where each of its requirements holds."""
    selector = selectors.parse(",".join(map(str, parts)))
    assert selector.requirements == tuple(sorted(parts, key=lambda part: part.key))
    assert selectors.parse(str(selector)) == selector
    assert selector.matches(declared) is all(_holds(part, declared) for part in parts)


@hypothesis.given(st.one_of(st.text(), st.text(alphabet="ab1-=!(),>< \tin"), st.lists(KEYS | VALUES).map(" ".join)))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """No text ends in another error than ours, and its place is inside the text or at its end."""
    with contextlib.suppress(selectors.SelectorError):
        assert selectors.parse(str(selectors.parse(text))) == selectors.parse(text)
        return
    with pytest.raises(selectors.SelectorError) as caught:
        selectors.parse(text)
    assert 0 <= caught.value.position <= len(text)
