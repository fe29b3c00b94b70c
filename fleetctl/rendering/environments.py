"""The sandbox that templates run in, and what can go wrong there as typed faults at template lines.

Strict by design: what is undefined fails, only what has one spelling in YAML becomes text (see ``printing``), nothing
that differs between two runs (clock, randomness, environment, files) can be reached, and no site leaves anything
behind for the next.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jinja2
import jinja2.compiler
import jinja2.exceptions
import jinja2.filters
import jinja2.runtime
import jinja2.sandbox
import msgspec

from fleetctl.model import codes, values
from fleetctl.reading import scalars
from fleetctl.rendering import bounds, bundles, filters, hiding, measures, printing

__all__ = ["Compiled", "Environment", "TemplateFault"]

_GLOBALS = ("cycler", "dict", "joiner", "namespace", "range")
_SHOWN_KEYS = 8


class TemplateFault(Exception):
    """A template cannot be compiled or rendered: where (source name, line from 1) and what."""

    def __init__(self, code: codes.Code, source: str, line: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.source = source
        self.line = line
        self.message = message


class _Missing(jinja2.StrictUndefined):
    """What an unknown name or key evaluates to; using it says what there is instead."""

    @property
    def _undefined_message(self) -> str:
        name = str(self._undefined_name)
        if self._undefined_hint:
            return str(self._undefined_hint)
        if isinstance(self._undefined_obj, jinja2.environment.TemplateModule):
            known = [name for name in vars(self._undefined_obj) if not name.startswith("_")]
            what = f'the imported template has no "{name}"'
        elif isinstance(self._undefined_obj, Mapping):
            known = sorted(str(key) for key in self._undefined_obj)
            what = f'there is no "{name}" in this map'
        elif self._undefined_obj is jinja2.utils.missing:
            known = list(_NAMES)
            what = f'"{name}" is not defined'
            if name in _NAMES:
                return f'"{name}" is not known in an imported template; import it "with context"'
        else:
            return f'{values.kind_of(self._undefined_obj)} has no "{name}"'
        shown = ", ".join(known[:_SHOWN_KEYS]) + (", ..." if len(known) > _SHOWN_KEYS else "")
        there = f"; there is: {shown}" if known else ", which is empty"
        return what + (scalars.did_you_mean(name, known) or there)


_NAMES = ("bundle", "fleet", "secret", "secret_hash", "site", "values", "vars")


class _Template(jinja2.Template):
    def _get_default_module(self, ctx: jinja2.runtime.Context | None = None) -> jinja2.environment.TemplateModule:
        """Run an imported template afresh: Jinja would keep it, with what one site left in it, for the next site."""
        if ctx is None:
            return self.make_module()
        return self.make_module({key: ctx.parent[key] for key in ctx.globals_keys - self.globals.keys()})


def _concat(parts: Iterable[str]) -> Any:  # noqa: ANN401  # text for Jinja, or a secret
    whole = list(parts)
    bounds.output(whole)
    return hiding.concat(whole)


class _Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    template_class = _Template
    code_generator_class: type[jinja2.compiler.CodeGenerator] = printing.CodeGenerator
    intercepted_binops = printing.OPERATORS
    concat = staticmethod(_concat)  # type: ignore[mutable-override]  # text, unless a secret is in it

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401, ARG002  # signature of Jinja
        """Format text and multiply within bounds."""
        return printing.operate(operator, left, right, self.binop_table[operator])

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:  # noqa: ANN401  # signature of Jinja
        """Let ``"...".format()`` print only what may be printed."""
        if super().wrap_str_format(value) is None:
            return None
        text, whole = str(value.__self__), value.__name__ == "format_map"

        def checked(*given: Any, **named: Any) -> str:  # noqa: ANN401  # as str.format
            return printing.Formatter(self).vformat(text, () if whole else given, given[0] if whole else named)

        return checked

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401  # signature of Jinja
        """Let ``values.items`` be the key "items" where a map has one, before the method of that name."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def unsafe_undefined(self, obj: Any, attribute: str) -> jinja2.Undefined:  # noqa: ANN401  # signature of Jinja
        """Refuse what leads out of the sandbox or changes a value, and say which of the two it is."""
        why = "is not open to templates" if attribute.startswith("_") else "would change a value, which stays as it is"
        return self.undefined(f'"{attribute}" {why}', obj, attribute, jinja2.exceptions.SecurityError)


class Compiled(msgspec.Struct, frozen=True):
    """One template ready to render."""

    source: bundles.Source
    template: jinja2.Template


class Environment:
    """The templates of one bundle, compiled once."""

    def __init__(self, sources: Mapping[str, bundles.Source], extensions: Iterable[type] = ()) -> None:
        self._sources = {source.path: source for source in sources.values()}

        def find(name: str) -> tuple[str, str, None] | None:
            source = sources.get(name)
            return (source.text, source.path, None) if source and source.is_template else None

        jinja = _Sandbox(
            autoescape=False,
            extensions=list(extensions),
            finalize=printing.emitted,
            keep_trailing_newline=True,
            loader=jinja2.FunctionLoader(find),
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=_Missing,
        )
        jinja.globals = {name: jinja.globals[name] for name in _GLOBALS}
        extended = dict(jinja.filters.items() - jinja2.filters.FILTERS.items())
        work = bounds.Work()
        jinja.filters.update({**printing.FILTERS, **extended, **filters.FILTERS, **work.filters})
        for name in printing.REMOVED:
            del jinja.filters[name]
        jinja.tests.update(hiding.TESTS)
        self._jinja = jinja
        self._work = work

    def mark_sources(self, numbers: Mapping[str, int]) -> None:
        """Tell an extension which number stands for which source path (see ``sourcemaps``)."""
        self._jinja.extend(marked_sources=dict(numbers))

    def compile(self, source: bundles.Source) -> Compiled:
        """Compile one template; raises ``TemplateFault`` at the line of a syntax error."""
        try:
            return Compiled(source, self._jinja.get_template(source.name))
        except Exception as error:  # noqa: BLE001  # Python's compiler has limits of its own, such as nested blocks
            raise self._fault(error, source) from None

    def render(self, compiled: Compiled, context: Mapping[str, object]) -> str:
        """Render one template; raises ``TemplateFault`` at the line that failed."""
        self._work.begin()
        try:
            made: object = compiled.template.render(context)
            return hiding.checked(made, context)
        except Exception as error:  # noqa: BLE001  # whatever a template provokes is the template's fault, not ours
            raise self._fault(error, compiled.source) from None

    def parse(self, source: bundles.Source) -> jinja2.nodes.Template:
        """Return the syntax tree of a template that compiles."""
        return self._jinja.parse(source.text, source.name, source.path)

    def _fault(self, error: Exception, source: bundles.Source) -> TemplateFault:
        if isinstance(error, jinja2.TemplateSyntaxError):
            path, line = error.filename or source.path, error.lineno
        else:
            path, line = self._place(error.__traceback__, source)
        code, message = _said(error)
        message += self._similar(message) if isinstance(error, jinja2.TemplateAssertionError) else ""
        return TemplateFault(code, path, line, message)

    def _similar(self, message: str) -> str:
        """Name the filter or test that was probably meant, where Jinja says ``No filter named 'x'``."""
        words = re.fullmatch(r"No (filter|test) named '(.*)'\.", message)
        known = {"filter": self._jinja.filters, "test": self._jinja.tests}
        return scalars.did_you_mean(words[2], known[words[1]]).replace("; d", " D", 1) if words else ""

    def _place(self, trace: types.TracebackType | None, source: bundles.Source) -> tuple[str, int]:
        """Return the innermost template line of a traceback, which Jinja rewrites to template names and lines."""
        place = (source.path, 0)
        while trace is not None:
            path = trace.tb_frame.f_code.co_filename
            if path in self._sources:
                place = (path, trace.tb_lineno)
            trace = trace.tb_next
        return place


def _said(error: Exception) -> tuple[codes.Code, str]:
    match error:
        case jinja2.TemplateSyntaxError():
            return codes.Code.TEMPLATE_SYNTAX, error.message or "this is not Jinja"
        case jinja2.UndefinedError():
            return codes.Code.TEMPLATE_UNDEFINED, error.message or "something is undefined"
        case jinja2.TemplateNotFound():
            message = f'the bundle has no template "{error.name}" (only .j2 files, named from its folder)'
            return codes.Code.TEMPLATE_FAILED, message
        case jinja2.exceptions.SecurityError():
            return codes.Code.TEMPLATE_FORBIDDEN, str(error)
        case hiding.Misuse():
            return codes.Code.TEMPLATE_SECRET, str(error)
        case printing.Unprintable():
            return codes.Code.TEMPLATE_UNPRINTABLE, str(error)
        case _:
            return codes.Code.TEMPLATE_FAILED, _failed(error)


_NOT_FINITE = re.compile(r"\b(infinity|NaN)\b|too large|out of range", re.IGNORECASE)


def _failed(error: Exception) -> str:
    """Say what Python found in words of templates, where we know them."""
    said = str(error)
    match error:
        case filters.FilterError() | measures.MeasureError() | bounds.OutOfBounds():
            return said
        case OverflowError() | ValueError() if _NOT_FINITE.search(said):
            return "the result of arithmetic is too large, or no number"
        case OverflowError():
            return said
        case RecursionError():
            return "the template calls itself without end, or is nested too deep"
        case SyntaxError():
            return f"Python cannot compile the template: {error.msg}"
        case TypeError() if "can only concatenate" in said:
            return f"{said}; join text with ~, which takes numbers too"
        case TypeError() if "not callable" in said:
            return f"{said}; a map's own key comes before the method of that name; loop with | dictsort"
        case _:
            return f"{type(error).__name__}: {said}"
