"""What is said about a fault of rendered text: the template's line, the rendered one, the cure."""

import pytest

from fleetctl.model import problems
from tests.unit.rendering import making


def _problem(text: str, **values: object) -> problems.Problem:
    return making.problems_of({"a.yaml.j2": text}, s1={"app": values})[0]  # type: ignore[dict-item]


def _cure(line: str) -> str:
    problem = _problem(making.config_map("a", line), v="off", w="x")
    return next((note for note in problem.notes if "| k" in note and "quotes what needs it" in note), "")


def test_the_rendered_line_keeps_its_indentation_and_names_its_document() -> None:
    """Indentation is what is wrong most often."""
    problem = _problem("{% if true %}\n" + making.config_map("a", "b: off") + "{% endif %}\n")
    assert problem.notes == ("b: off", "rendered line 6 (ConfigMap a):   b: off", "at s1")
    assert _problem(making.config_map("a") + "---\nb: {c\n").notes[1].startswith("rendered line 6 (document 2): ")


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        ("b: {{ values.v }}", "{{ values.v | k }}"),
        ("b: {{- ' ' ~ values.v -}}", "{{ (' ' ~ values.v) | k }}"),
        ("b: {{ values.v | lower }}", "{{ values.v | lower | k }}"),
        ("b: {{ values['v'] }} # comment", "{{ values['v'] | k }}"),
    ],
)
def test_the_cure_is_written_out(line: str, cure: str) -> None:
    """As it has to stand in the template."""
    assert _cure(line) == f"a value goes into YAML with | k, which quotes what needs it: {cure}"


@pytest.mark.parametrize(
    "line",
    [
        "b: off",
        "b: {{ values.v | k }}\n  c: off",
        "b: o{{ 'ff' }}",
        'b: "{{ values.v }}"\n  c: off',
        "b: {% if true %}off{% endif %}",
    ],
)
def test_no_cure_is_offered_where_it_would_not_help(line: str) -> None:
    """Text of the template itself, and expressions inside of other text, are not cured by k."""
    assert _cure(line) == ""


def test_two_expressions_in_one_line_are_not_guessed_at() -> None:
    """The cure is named without an example."""
    assert _cure("b: [{{ values.w }}, {{ values.v }}]").endswith("which quotes what needs it")


def test_lines_that_run_together_are_told() -> None:
    """A block tag at the end of a line takes its line break."""
    problem = _problem(making.config_map("a", "b: {% if true %}c{% endif %}\nd: e"))
    assert problem.notes[-2] == (
        "lines 6 and 7 of the template run together: a block tag at the end of a line takes the line break away; "
        "end it with +%}"
    )


def test_double_keys_name_both_lines_of_the_template() -> None:
    """The reader only knows lines of rendered text."""
    problem = _problem("{% if true %}\n" + making.config_map("a", "b: c\nb: d") + "{% endif %}\n")
    assert str(problem.mark) == "app/a.yaml.j2:8"
    assert problem.message == 'the key "b" is given twice, first at app/a.yaml.j2:7'


def test_long_lines_are_cut() -> None:
    """Neither the template's nor the rendered line fills the screen."""
    problem = _problem(making.config_map("a", f"b: {'x' * 500}: y"))
    assert max(map(len, problem.notes)) < 220


@pytest.mark.parametrize(
    "line",
    ["password: {{ values.p }}", "password: 0042", "password: hunter2: x", "password: !hunter2", 'password: "hunter2'],
)
@pytest.mark.parametrize(
    "head",
    [
        "kind: Secret\n",
        '"kind": "Secret"\n',
        "kind:  Secret  # comment\n",
        "kind: &k Secret\n",
        "? kind\n: Secret\n",
        "kind: List\nitems:\n- kind: Secret\n",
    ],
)
@pytest.mark.parametrize("name", ["a.yaml.j2", "a.yaml"])
def test_nothing_of_a_secret_is_shown(name: str, head: str, line: str) -> None:
    """Neither value nor line, whatever is wrong with it, in a template or a plain file."""
    text = f"apiVersion: v1\n{head}metadata: {{name: a}}\nstringData:\n  {line}\n"
    found = making.problems_of({name: text}, s1={"app": {"p": "0042"}})
    said = "".join(problem.message + "".join(problem.notes) for problem in found)
    assert found
    assert "hunter2" not in said
    assert "0042" not in said
