"""References to values: asked late, for what is needed, once per run; a failure is told once for all who need it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from fleetctl.model import codes, errors, placeholders, problems, releases, secretrefs
from fleetctl.secrets import ages, commands, envs, files, keyrings, masking, providers, sops, vaults

__all__ = ["Need", "Resolver", "Values", "needs_of", "shipped"]

Values = Mapping[secretrefs.Reference, masking.Secret]
"""Resolved secrets; they print masked."""


class Need(msgspec.Struct, frozen=True):
    """A secret, the sites that need it, and where the inventory refers to it."""

    reference: secretrefs.Reference
    sites: tuple[str, ...] = ()
    mark: problems.Mark | None = None


def shipped(around: providers.Surroundings) -> dict[str, providers.Provider]:
    """Return the providers that fleetctl comes with, by name."""
    return {
        "env": envs.Env(around),
        "file": files.File(around),
        "exec": commands.Exec(around),
        "age": ages.Age(around),
        "sops": sops.Sops(around),
        "vault": vaults.Vault(around),
        "keyring": keyrings.Keyring(),
    }


def needs_of(made: Iterable[releases.Release]) -> list[Need]:
    """Return what releases need, each reference once, in the order of references."""
    sites: dict[secretrefs.Reference, dict[str, None]] = {}
    for release in made:
        for reference in releases.references(release):
            sites.setdefault(reference, {})[release.site] = None
    return [Need(reference, tuple(sites[reference])) for reference in sorted(sites, key=placeholders.text)]


class Resolver:
    """Asks providers, once for each reference; a context, at whose end connections close and values are forgotten."""

    def __init__(self, known: Mapping[str, providers.Provider]) -> None:
        self._providers = known
        self._stack = contextlib.ExitStack()
        self._had: dict[secretrefs.Reference, masking.Secret | providers.Fault] = {}
        self._down: dict[str, providers.Fault] = {}

    def __enter__(self) -> Self:
        """Return the resolver."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Forget everything."""
        self._had.clear()
        self._stack.close()

    def one(self, reference: secretrefs.Reference) -> masking.Secret:
        """Return one value; raises ``providers.Fault``."""
        found = self._had.get(reference)
        if found is None:
            found = self._had[reference] = self._asked(reference)
        if isinstance(found, providers.Fault):
            raise found
        return found

    def resolve(self, needs: Iterable[Need]) -> Values:
        """Return the values of all needs; raises ``Unresolved`` with every one that cannot be had, folded."""
        values: dict[secretrefs.Reference, masking.Secret] = {}
        failed: list[tuple[Need, providers.Fault]] = []
        for need in needs:
            try:
                values[need.reference] = self.one(need.reference)
            except providers.Fault as fault:
                failed.append((need, fault))
        if failed:
            raise errors.Unresolved(_folded(failed))
        return values

    def _asked(self, reference: secretrefs.Reference) -> masking.Secret | providers.Fault:
        name = reference.provider
        if name in self._down:
            return self._down[name]
        provider = self._providers.get(name)
        if provider is None:
            return providers.Fault(codes.Code.SECRET_NOT_CONFIGURED, f'there is no provider "{name}"', whole=True)
        try:
            return provider.fetch(reference.key, self._stack)
        except providers.Fault as fault:
            if fault.whole:
                self._down[name] = fault
            return fault.with_traceback(None)


def _folded(failed: Iterable[tuple[Need, providers.Fault]]) -> Iterable[problems.Problem]:
    """Tell a reference that fails once, and a provider that fails once for all its references."""
    whole: dict[tuple[str, codes.Code, str], list[Need]] = {}
    for need, fault in failed:
        if fault.whole:
            whole.setdefault((need.reference.provider, fault.code, fault.message), []).append(need)
        else:
            message = f"the secret {need.reference}: {fault.message}"
            yield problems.Problem(fault.code, message, need.mark, (), tuple(_at(need.sites)))
    for (provider, code, message), needs in whole.items():
        many = f"{len(needs):,} secrets" if len(needs) > 1 else f"the secret {needs[0].reference}"
        sites = dict.fromkeys(site for need in needs for site in need.sites)
        mark = next((need.mark for need in needs if need.mark), None)
        said = f"{many} of provider {provider}" if len(needs) > 1 else many
        yield problems.Problem(code, f"{said}: {message}", mark, (), tuple(_at(tuple(sites))))


def _at(sites: tuple[str, ...]) -> Iterable[str]:
    if sites:
        yield f"at {sites[0]}" if len(sites) == 1 else f"at {len(sites):,} sites, e.g. {min(sites)}"
