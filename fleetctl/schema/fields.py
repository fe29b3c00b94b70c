"""Rules for single fields of our files: names, labels, addresses, times, versions, as annotated types."""

from __future__ import annotations

import functools
import ipaddress
import re
import zoneinfo
from collections.abc import Iterable
from typing import Annotated, Any

import pydantic
import pydantic_core

from fleetctl.model import labels, problems, selectors, values
from fleetctl.schema import written

__all__ = [
    "Address",
    "Cron",
    "DnsLabel",
    "Duration",
    "Endpoint",
    "Free",
    "HostKey",
    "KeyId",
    "KubernetesVersion",
    "LabelKey",
    "LabelValue",
    "Limit",
    "Match",
    "Proxy",
    "SemanticVersion",
    "SiteLabels",
    "Span",
    "Timezone",
    "Unsettable",
    "percent_of",
    "seconds_of",
]


_HOST_KEY = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?|(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+")
_ENDPOINT = re.compile(r"https://(\[[0-9a-fA-F:]+\]|[^\s/:@?#]+)(:(?P<port>[0-9]{1,5}))?(/[^\s?#]*)?")
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}")
_PROXY = re.compile(r"(https?|socks5h?)://[^\s/]+/?")
_PORTS = range(1, 65536)
_DURATION = re.compile(r"(?=.*[1-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?")
_SPAN = re.compile(r"(?=.)(?:(?P<h>[0-9]{1,4})h)?(?:(?P<m>[0-9]{1,5})m)?(?:(?P<s>[0-9]{1,6})s)?")
_SHARE = re.compile(r"(?P<percent>[0-9]{1,3}(?:\.[0-9]{1,3})?) ?%")
_CRON_PART = r"(\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?"
_CRON_FIELD = re.compile(f"{_CRON_PART}(,{_CRON_PART})*")
_LONGEST_DAY = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_CRON_RANGES = (range(60), range(24), range(1, 32), range(1, 13), range(8))
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_KUBERNETES_VERSION = re.compile(r"v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?|[0-9]+\.[0-9]+/[a-z]+")


def _fault(message: str, code: str = "bad-value") -> pydantic_core.PydanticCustomError:
    """Make the error of one of our own rules; the message is shown as it stands."""
    return pydantic_core.PydanticCustomError(code, "{said}", {"said": message})


def _checked(check: Any, what: str = "") -> pydantic.AfterValidator:  # noqa: ANN401  # a fault function of model.labels
    def validate(value: str) -> str:
        if fault := check(value):
            raise _fault(f'{what}"{value}" {fault}')
        return value

    return pydantic.AfterValidator(validate)


class _Matching(written.Text):
    """Text that a pattern takes whole; the same pattern checks here and in a schema."""

    def __init__(self, pattern: re.Pattern[str], expected: str) -> None:
        super().__init__(pattern, expected)
        self._pattern = pattern
        self._expected = expected

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: pydantic.GetCoreSchemaHandler
    ) -> pydantic_core.CoreSchema:
        """Check after the type did."""
        return pydantic_core.core_schema.no_info_after_validator_function(self._validate, handler(source))

    def _validate(self, value: str) -> str:
        if not value or not self._pattern.fullmatch(value):
            raise _fault(f'"{value}" is not {self._expected}')
        return value


Unsettable = written.Unsettable()


def _stray_unset(value: object, field: problems.Field, *, in_list: bool) -> problems.Field:
    """Return where ``!unset`` stands inside a list, whose items are never merged; () when it does nowhere."""
    if value is values.UNSET:
        return field if in_list else ()
    if isinstance(value, dict):
        inner: Iterable[tuple[problems.Step, object]] = value.items()
    elif isinstance(value, list):
        inner, in_list = enumerate(value), True
    else:
        return ()
    return next((found for step, one in inner if (found := _stray_unset(one, (*field, step), in_list=in_list))), ())


def _free(value: dict[str, Any]) -> dict[str, Any]:
    if below := _stray_unset(value, (), in_list=False):
        message = "!unset takes away what a lower layer set, and lists are not merged; remove it"
        raise pydantic_core.PydanticCustomError("bad-value", "{said}", {"said": message, "below": below})
    return value


Free = Annotated[dict[str, Any], pydantic.AfterValidator(_free), written.Append()]
"""A map that people fill as they like; its keys are text, its values what YAML core can hold, or ``!unset``."""

DnsLabel = Annotated[str, _checked(labels.dns_label_fault), written.Text(written.DNS_LABEL, "a DNS-1123 label")]


def _site_label_key(key: str) -> str:
    if key in labels.RESERVED:
        raise _fault(f'"{key}" is a label that every site has built in; choose another key', "reserved-label")
    return key


LabelKey = Annotated[
    str, _checked(labels.key_fault, "the label key "), written.Text(written.LABEL_KEY, "a label key of Kubernetes")
]
LabelValue = Annotated[
    str, _checked(labels.value_fault, "the label value "), written.Text(written.LABEL_VALUE, "label text of Kubernetes")
]
_SiteLabelKey = Annotated[
    LabelKey,
    pydantic.AfterValidator(_site_label_key),
    written.Text(written.SITE_LABEL_KEY, "a label key of Kubernetes that is not built in"),
]
SiteLabels = dict[_SiteLabelKey, Annotated[LabelValue, Unsettable]]


def _address(value: str) -> str:
    if _IPV4.fullmatch(value):  # nearly every address, and ipaddress takes ten times as long
        return value
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if labels.subdomain_fault(value) or re.fullmatch(r"[0-9.]+", value):
            raise _fault(f'"{value}" is neither an IP address nor a host name') from None
    return value


@functools.cache
def _is_timezone(name: str) -> bool:
    """Ask for one zone by its name: listing them all reads 600 files."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # unknown, not a key, a folder such as "Europe"
        return False
    return True


def _timezone(value: str) -> str:
    if not _is_timezone(value):
        raise _fault(f'"{value}" is not an IANA time zone such as "Europe/Oslo"')
    return value


def _cron(value: str) -> str:
    fields = value.split()
    if len(fields) != len(_CRON_RANGES):
        raise _fault(f'"{value}" is not a cron time: five fields are needed (minute hour day month weekday)')
    for field, allowed in zip(fields, _CRON_RANGES, strict=True):
        if not _CRON_FIELD.fullmatch(field) or not all(_is_cron_part(part, allowed) for part in field.split(",")):
            raise _fault(f'"{field}" in "{value}" is not a cron field from {allowed.start} to {allowed.stop - 1}')
    if _is_no_day(fields[2], fields[3], fields[4]):
        raise _fault(f'"{value}" never comes: no month that it names has such a day')
    return value


def _is_no_day(days: str, months: str, weekdays: str) -> bool:
    """Tell whether days are none of any month: 30 February; a weekday beside them comes all the same."""
    if "*" in days or "*" in months or weekdays != "*":
        return False
    first = min(int(part.partition("-")[0]) for part in days.split(","))
    spans = [part.partition("/")[0].partition("-") for part in months.split(",")]
    named = {month for low, _, high in spans for month in range(int(low), int(high or low) + 1)}
    return all(first > _LONGEST_DAY.get(month, 31) for month in named)


def _is_cron_part(part: str, allowed: range) -> bool:
    span, slash, step = part.partition("/")
    first, _, last = span.partition("-")
    numbers = [] if span == "*" else [int(first), int(last or first)]
    return all(number in allowed for number in numbers) and numbers == sorted(numbers) and (not slash or int(step) > 0)


def _endpoint(value: str) -> str:
    match = _ENDPOINT.fullmatch(value)
    if match is None or (match["port"] and int(match["port"]) not in _PORTS):
        raise _fault(f'"{value}" is not an https:// address such as "https://10.0.0.1:6443"')
    return value


def _selector(value: str) -> str:
    try:
        parsed = selectors.parse(value)
    except selectors.SelectorError as error:
        raise _fault(f"{error.message} (character {error.position + 1})", "bad-selector") from None
    for requirement in parsed.requirements:
        if requirement.key in labels.RESERVED:
            message = (
                f'groups select on declared labels only, and "{requirement.key}" is built in; use a label of your own'
            )
            raise _fault(message, "group-selects-reserved")
    return value


Timezone = Annotated[
    str, pydantic.AfterValidator(_timezone), written.Text(written.TIMEZONE, 'an IANA time zone such as "Europe/Oslo"')
]
Endpoint = Annotated[str, pydantic.AfterValidator(_endpoint), written.Text(_ENDPOINT, "an https:// address")]
Address = Annotated[
    str, pydantic.AfterValidator(_address), written.Text(written.ADDRESS, "an IP address or a host name")
]
Cron = Annotated[
    str,
    pydantic.AfterValidator(_cron),
    written.Text(rf"\s*{_CRON_FIELD.pattern}(?:\s+{_CRON_FIELD.pattern}){{4}}\s*", "a cron time of five fields"),
]
Duration = Annotated[str, _Matching(_DURATION, 'a duration such as "3h" or "1h30m"')]
HostKey = Annotated[str, _Matching(_HOST_KEY, "a SHA256:... fingerprint or a public key in OpenSSH form")]
KubernetesVersion = Annotated[str, _Matching(_KUBERNETES_VERSION, 'a version such as "v1.36.3+k3s1" or "1.36/stable"')]
KeyId = Annotated[str, _Matching(re.compile(r"pk-[0-9a-f]{16}"), "the id of a project key, as keys init writes it")]
Match = Annotated[str, pydantic.AfterValidator(_selector)]
Proxy = Annotated[str, _Matching(_PROXY, "an http, https, socks5 or socks5h URL")]
SemanticVersion = Annotated[str, _Matching(_VERSION, 'a semantic version such as "1.4.0"')]


def seconds_of(span: str) -> float:
    """Return the seconds of a span such as ``1m30s``; raises ``ValueError`` for anything else."""
    match = _SPAN.fullmatch(span)
    if match is None:
        raise ValueError(span)
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(hours * 3600 + minutes * 60 + seconds)


def percent_of(limit: str) -> float:
    """Return the number before the sign of ``2%``; raises ``ValueError`` for anything else, and above 100."""
    match = _SHARE.fullmatch(limit)
    if match is None or float(match["percent"]) > 100:
        raise ValueError(limit)
    return float(match["percent"])


def _span(value: str) -> str:
    try:
        seconds_of(value)
    except ValueError:
        raise _fault(f'"{value}" is no time such as 90s, 10m or 1h30m') from None
    return value


def _limit(value: int | str) -> int | str:
    if isinstance(value, int):
        if value < 0:
            raise _fault(f"expected at least 0, got {value}")
        return value
    try:
        percent_of(value)
    except ValueError:
        raise _fault(f'"{value}" is neither a number of sites nor a share such as "2%"') from None
    return value


Span = Annotated[
    str, pydantic.AfterValidator(_span), written.Text(_SPAN, "a time with units such as 90s, 10m or 1h30m")
]
"""A time with units, ``0s`` included."""
Limit = Annotated[
    int | str,
    pydantic.AfterValidator(_limit),
    pydantic.WithJsonSchema(
        {
            "type": ["integer", "string"],
            "minimum": 0,
            "pattern": written.whole(_SHARE),
            "patternErrorMessage": 'Expected a number of sites, or a share such as "2%".',
        }
    ),
]
"""A number of sites, or a share of them as text."""
