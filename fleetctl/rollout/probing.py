"""How a run's gates are asked: over HTTP, a Prometheus, a program, the journal. Whatever goes wrong is a bad answer.

What a gate needs secrets for is resolved when it is asked, and forgotten after; no answer quotes what was sent.
"""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from fleetctl.model import gates, outcomes, plans
from fleetctl.reading import processes
from fleetctl.runs import gatekeeping
from fleetctl.secrets import providers, resolving
from fleetctl.state import databases, runs
from fleetctl.web import fetching

__all__ = ["Look", "Prober", "require"]

_MOST: Final = 1024 * 1024
"""Bytes of an answer, or of what a program prints, that are taken."""
_PASSED_ON: Final = (
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LC_ALL",
    "NO_PROXY",
    "PATH",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
"""Variables that a program of a gate gets of our own; all others may be secrets."""
_WELL: Final = (outcomes.Outcome.CHANGED, outcomes.Outcome.UNCHANGED)
_SAMPLES: Final = 3

Look = Callable[[Sequence[runs.Row]], Awaitable[Mapping[str, str]]]
"""Looks again at sites of the run; returns what is the matter with those that are not well, in words."""


def require(strategy: plans.Strategy, around: providers.Surroundings) -> None:
    """Look up the secrets that a run's gates will need; raises ``Unresolved`` before anything is begun."""
    needed = {one: resolving.Need(one) for gate in strategy.gates for one in gate.secrets}
    if needed:
        with resolving.Resolver(resolving.shipped(around)) as resolver:
            resolver.resolve(needed.values())


class Prober:
    """Asks the gates of a run."""

    def __init__(self, store: databases.Store, around: providers.Surroundings, look: Look) -> None:
        self._store = store
        self._around = around
        self._look = look

    async def ask(self, gate: gates.Gate, facts: gatekeeping.Facts) -> gatekeeping.Answer:
        """Ask a gate once."""
        if gate.health is not None:
            return await self._health(gate.health, facts)
        gone = threading.Event()
        try:
            if gate.http is not None:
                return await asyncio.to_thread(self._http, gate.http)
            if gate.promql is not None:
                return await asyncio.to_thread(self._promql, gate.promql)
            if gate.exec is not None:
                return await asyncio.to_thread(self._exec, gate.exec, gate.name, facts, gone)
        finally:
            gone.set()
        return _bad("an approval is given, not asked for")

    async def _health(self, said: gates.Health, facts: gatekeeping.Facts) -> gatekeeping.Answer:
        """Look again at the sites that ended well: what was well then may have broken since."""
        rows = [row for row in self._store.read(lambda conn: runs.sites(conn, facts.run)) if row.wave == facts.wave]
        ended = [row for row in rows if row.outcome in _WELL]
        troubles = await self._look(ended)
        well = len(ended) - len(troubles)
        share = 100.0 * well / len(rows) if rows else 0.0
        seen = f"{well:,} of {len(rows):,} sites are as wanted ({share:.4g} %)"
        if troubles:
            site = min(troubles)
            seen += f"; no longer {len(troubles):,}, e.g. {site}: {troubles[site]}"
        if share >= said.percent - 1e-9:
            return gatekeeping.Answer(good=True, seen=seen)
        return _bad(f"less than {said.percent:g} %: {seen}")

    def _http(self, said: gates.Ask) -> gatekeeping.Answer:
        try:
            answer = self._get(said, "", {})
        except _Failed as failed:
            if failed.status not in said.statuses:
                return _bad(str(failed))
            status = failed.status
        else:
            status = answer.status
        if said.statuses and status not in said.statuses:
            return _bad(f"answered {status}, not {' or '.join(map(str, said.statuses))}")
        return gatekeeping.Answer(good=True, seen=f"answered {status}")

    def _promql(self, said: gates.Promql) -> gatekeeping.Answer:
        """Ask for a query's values at this moment: https://prometheus.io/docs/prometheus/latest/querying/api/."""
        try:
            found = self._get(said.at, "/api/v1/query", {"query": said.query}).json()
        except _Failed as failed:
            return _bad(_complaint(failed.body) or str(failed))
        except fetching.FetchError as failed:
            return _bad(failed.message)
        samples = _samples(found)
        if isinstance(samples, str):
            return _bad(samples)
        bad = [one for one in samples if not said.condition.holds(_number(one[1]))]
        worst = "; ".join(_sample(one) for one in (bad or samples)[:_SAMPLES])
        more = len(bad or samples) - _SAMPLES
        seen = f"{worst}{f'; and {more:,} more' if more > 0 else ''}"
        if bad:
            return _bad(f"{seen}: not {said.condition}")
        return gatekeeping.Answer(good=True, seen=f"{seen}: {said.condition}")

    def _exec(self, said: gates.Exec, name: str, facts: gatekeeping.Facts, gone: threading.Event) -> gatekeeping.Answer:
        words = said.command
        try:
            done = processes.run(
                words,
                folder=self._around.root,
                environment=_environment(self._around.variables, name, facts),
                timeout=said.timeout,
                most=_MOST,
                unwanted=gone,
            )
        except processes.Failed as failed:
            why = {
                "start": f"{words[0]} cannot be run: {failed}",
                "time": f"{words[0]} took more than {said.timeout:g} s",
                "size": f"{words[0]} printed more than {_MOST // 1024 // 1024} MiB",
                "unwanted": f"{words[0]} was given up",
            }
            return _bad(why[failed.why])
        last = _last_line(done.output)
        if done.status:
            how = f"ended with {done.status}" if done.status > 0 else f"was killed by signal {-done.status}"
            return _bad(f"{words[0]} {how}{f': {last}' if last else ''}")
        return gatekeeping.Answer(good=True, seen=last or f"{words[0]} ended with 0")

    def _get(self, said: gates.Ask, path: str, query: Mapping[str, str]) -> fetching.Answer:
        """Ask; raises ``_Failed``."""
        try:
            with resolving.Resolver(resolving.shipped(self._around)) as resolver:
                headers = {one.name: _value(one, resolver) for one in said.headers}
            url = said.url.rstrip("/") + path if path else said.url
            asked = f"?{urllib.parse.urlencode(query)}" if query else ""
            with fetching.Client(_origin(url), headers, timeout=said.timeout, most=_MOST) as client:
                return client.ask(f"{url}{asked}")
        except providers.Fault as fault:
            raise _Failed(fault.message) from None
        except UnicodeDecodeError:
            message = "a secret of its headers is not text"
            raise _Failed(message) from None
        except fetching.FetchError as failed:
            message = f"answered {failed.message}" if failed.status else failed.message
            raise _Failed(message, failed.status, failed.body) from None


class _Failed(Exception):
    def __init__(self, message: str, status: int = 0, body: bytes = b"") -> None:
        super().__init__(message)
        self.status = status
        self.body = body


def _bad(seen: str) -> gatekeeping.Answer:
    return gatekeeping.Answer(good=False, seen=seen)


def _origin(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _value(header: gates.Header, resolver: resolving.Resolver) -> str:
    """Return what a header holds; raises ``providers.Fault`` or ``UnicodeDecodeError``."""
    if header.secret is None:
        return header.text
    return f"{header.prefix}{resolver.one(header.secret).reveal().decode('ascii')}"


def _environment(ours: Mapping[str, str], name: str, facts: gatekeeping.Facts) -> dict[str, str]:
    told = {
        "NAME": name,
        "RUN": facts.run,
        "KIND": facts.kind,
        "PLAN": facts.plan,
        "PROJECT": facts.project,
        "BUNDLE": facts.bundle,
        "VERSION": facts.version,
        "WAVE": str(facts.wave),
        "WAVE_NAME": facts.wave_name,
        "MEMBERS": str(facts.members),
    }
    kept = {key: ours[key] for key in _PASSED_ON if key in ours}
    return {**kept, **{f"FLEETCTL_GATE_{key}": text for key, text in told.items()}}


def _last_line(output: bytes) -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines()]
    return next((line for line in reversed(lines) if line), "")


def _complaint(body: bytes) -> str:
    """Return what a Prometheus has against a query, as its errors say it; "" for any other answer."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict) or found.get("status") != "error":
        return ""
    return f"refused the query: {found.get('errorType', 'error')}: {found.get('error', '')}"


def _samples(found: Any) -> Sequence[tuple[str, str]] | str:  # noqa: ANN401  # whatever the service says
    """Return the series and their values, as text, or what is wrong with the answer."""
    data = found.get("data") if isinstance(found, dict) and found.get("status") == "success" else None
    sort, result = (data.get("resultType"), data.get("result")) if isinstance(data, dict) else (None, None)
    try:
        if sort == "scalar" and isinstance(result, list):
            return [("", str(result[1]))]
        if sort == "vector" and isinstance(result, list):
            made = [
                (_series(one["metric"]), str(one["value"][1]) if "value" in one else "a histogram") for one in result
            ]
            return made or "the query found nothing, which is no answer"
    except (KeyError, IndexError, TypeError, AttributeError):
        return "the answer is not one of a Prometheus"
    if sort in {"matrix", "string"}:
        return f"the query gives a {sort}; a gate needs numbers of one moment"
    return "the answer is not one of a Prometheus"


def _series(metric: Mapping[str, str]) -> str:
    labels = ", ".join(f'{key}="{value}"' for key, value in sorted(metric.items()) if key != "__name__")
    return f"{metric.get('__name__', '')}{{{labels}}}" if labels else metric.get("__name__", "")


def _number(text: str) -> float:
    """Read a value as Prometheus writes it (``+Inf`` and ``NaN`` too); what is none is NaN, which is no answer."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _sample(one: tuple[str, str]) -> str:
    return f"{one[0]} is {one[1]}" if one[0] else f"the value is {one[1]}"
