"""What a credential may do at one cluster, asked with as few requests as tell: nothing is changed.

First whether it may do everything; then the rules that hold in all namespaces, and those of a namespace where these do
not suffice; then, where a server does not tell all rules, single questions. What a rule grants is granted, whatever
else there is. Source: the API of authorization.k8s.io/v1, and how Kubernetes' RBAC authorizer matches a rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol

import msgspec

from fleetctl.kube import answers, needs
from fleetctl.model import outcomes

__all__ = ["NOWHERE", "Answer", "Gap", "Rule", "ask", "gaps", "grants"]

NOWHERE: Final = "-"
"""A namespace that nobody can make: what may be done in it may be done in all, and outside namespaces."""

_ROOT: Final = "/apis/authorization.k8s.io/v1"
_DOING: Final = "asking for rights"
_MOST_NAMESPACES: Final = 8
_MOST_SINGLE: Final = 24
"""Questions for one site, at most: beyond that, what is left is not known."""


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """What may be done, as RBAC says it."""

    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class Gap(msgspec.Struct, frozen=True, order=True):
    """Rights that are missing on one resource in one place; without names, on all objects that there is a need for."""

    resource: str
    """``deployments.apps``, ``pods/log``."""
    namespace: str
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()
    purpose: needs.Purpose = "visit"


class Answer(msgspec.Struct, frozen=True):
    """What is missing, and why it is not known whether more is."""

    gaps: tuple[Gap, ...] = ()
    unknown: outcomes.Cause | None = None


class _Asks(Protocol):
    """What the questions need of a client."""

    async def write_aside(self, method: Literal["POST", "PUT"], path: str, body: bytes) -> bytes:
        """Send an object that is of no set; raises ``answers.Failure``."""
        ...


class _Allowed(msgspec.Struct):
    allowed: bool = False


class _Reviewed(msgspec.Struct):
    status: _Allowed = msgspec.field(default_factory=_Allowed)


class _Told(msgspec.Struct):
    resourceRules: tuple[Rule, ...] | None = None  # noqa: N815  # as Kubernetes spells it
    incomplete: bool = False
    evaluationError: str = ""  # noqa: N815


class _Rules(msgspec.Struct):
    status: _Told = msgspec.field(default_factory=_Told)


class _Everything(Protocol):
    """What finds out what is needed, once somebody may not do everything."""

    async def __call__(self) -> Sequence[needs.Need]:
        """Return it; raises ``answers.Failure``."""
        ...


async def ask(api: _Asks, wanted: _Everything) -> Answer:
    """Ask what of the rights that ``wanted`` finds is missing; a server that does not say is an answer, too."""
    asked = _Asked(api)
    try:
        if await asked.may(needs.Need("*", "*", "*")):
            return Answer()
        needed = await wanted()
        left = await asked.missing(needed)
    except answers.Failure as failure:
        return Answer(unknown=failure.cause(_DOING))
    except TimeoutError:
        return Answer(unknown=outcomes.Cause("SiteTimeout", _DOING, "not answered in time"))
    return Answer(gaps(left, needed), asked.unknown)


def grants(rule: Rule, need: needs.Need) -> bool:
    """Tell whether a rule grants a right; the place where it holds is not looked at."""
    return (
        _in(need.verb, rule.verbs)
        and _in(need.group, rule.api_groups)
        and (_in(need.resource, rule.resources) or _below(need.resource) in rule.resources)
        and (not rule.resource_names or need.name in rule.resource_names)
    )


def _in(one: str, among: tuple[str, ...]) -> bool:
    return "*" in among or one in among


def _below(resource: str) -> str:
    """Return ``*/log`` for ``pods/log``: a subresource of whatever has it."""
    _, slash, below = resource.partition("/")
    return f"*/{below}" if slash else resource


def gaps(missing: Iterable[needs.Need], wanted: Iterable[needs.Need]) -> tuple[Gap, ...]:
    """Gather needs, the verbs of one resource at one place together; names are said where others are not missing."""
    names: dict[tuple[needs.Purpose, str, str, str], set[str]] = defaultdict(set)
    for one in missing:
        names[one.purpose, one.qualified, one.namespace, one.verb].add(one.name)
    total: dict[tuple[needs.Purpose, str, str, str], set[str]] = defaultdict(set)
    for one in wanted:
        total[one.purpose, one.qualified, one.namespace, one.verb].add(one.name)
    verbs: dict[tuple[needs.Purpose, str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (purpose, resource, namespace, verb), found in sorted(names.items()):
        whole = found >= total[purpose, resource, namespace, verb]
        told = () if whole else tuple(sorted(found - {""}))
        verbs[purpose, resource, namespace, told].append(verb)
    return tuple(
        sorted(
            Gap(resource, namespace, tuple(found), told, purpose)
            for (purpose, resource, namespace, told), found in verbs.items()
        )
    )


class _Asked:
    """One conversation about rights."""

    def __init__(self, api: _Asks) -> None:
        self.unknown: outcomes.Cause | None = None
        """Why some rights are not known to be missing, nor to be there."""
        self._api = api
        self._rules: dict[str, _Told | None] = {}
        self._said: dict[needs.Need, bool] = {}

    async def missing(self, wanted: Sequence[needs.Need]) -> list[needs.Need]:
        """Return what of this is missing for sure."""
        await self._learn(NOWHERE)
        for namespace in sorted({one.namespace for one in wanted if one.namespace and not self._granted(one)}):
            if len(self._rules) > _MOST_NAMESPACES:
                break
            await self._learn(namespace)
        left = [one for one in wanted if not self._granted(one)]
        doubtful = [one for one in left if not self._told_all(one.namespace)]
        for one in doubtful:
            await self._single(one)
        return [one for one in left if self._told_all(one.namespace) or self._said.get(one) is False]

    async def may(self, need: needs.Need) -> bool:
        """Ask one question."""
        plural, _, below = need.resource.partition("/")
        attributes = {"verb": need.verb, "group": need.group, "resource": plural, "subresource": below}
        attributes |= {"namespace": need.namespace, "name": need.name}
        spec = {"resourceAttributes": {key: value for key, value in attributes.items() if value}}
        return answers.decode(await self._review("SelfSubjectAccessReview", spec), _Reviewed).status.allowed

    async def _single(self, need: needs.Need) -> None:
        """Ask for what the rules do not tell; all objects of a kind at once, if that is granted."""
        of_all = msgspec.structs.replace(need, name="", instead=())
        if self._said.get(of_all):
            self._said[need] = True
            return
        for question in dict.fromkeys((of_all, need)):
            if question in self._said:
                continue
            if len(self._said) >= _MOST_SINGLE:
                self.unknown = outcomes.Cause("TooManyQuestions", _DOING, f"more than {_MOST_SINGLE} would be needed")
                return
            self._said[question] = await self.may(question)
            if self._said[question]:
                self._said[need] = True
                return
        if need.instead:  # another way may be open, and was not asked about
            del self._said[need]
            self.unknown = outcomes.Cause("RulesIncomplete", _DOING, f"whether {need.verb} is needed cannot be told")

    async def _learn(self, namespace: str) -> None:
        """Ask for the rules of a namespace; a server that refuses tells none."""
        try:
            body = await self._review("SelfSubjectRulesReview", {"namespace": namespace})
        except answers.Failure as failure:
            if failure.kind not in {"forbidden", "missing", "rejected"}:
                raise
            self._rules[namespace] = None
        else:
            self._rules[namespace] = answers.decode(body, _Rules).status

    async def _review(self, kind: str, spec: Mapping[str, Any]) -> bytes:
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
        return await self._api.write_aside("POST", f"{_ROOT}/{kind.lower()}s", msgspec.json.encode(body))

    def _granted(self, need: needs.Need) -> bool:
        if any(grants(rule, need) for place in (NOWHERE, need.namespace) for rule in self._of(place)):
            return True
        return bool(need.instead) and all(self._granted(one) for one in need.instead)

    def _of(self, namespace: str) -> tuple[Rule, ...]:
        told = self._rules.get(namespace)
        return (told.resourceRules or ()) if told is not None else ()

    def _told_all(self, namespace: str) -> bool:
        """Tell whether all rules of a place are known: a server that could not read some says so as an error."""
        told = self._rules.get(namespace or NOWHERE)
        return told is not None and not told.incomplete and not told.evaluationError
