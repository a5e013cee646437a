"""What holds in every part of a network description: policy rules, texts, names used once.

A rule that names an MSP nobody has could never be satisfied; it is a fault here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gridloom.common.policies.language import parse_policy
from gridloom.common.policies.principals import principal_content
from gridloom.protos.common.policies_pb2 import Policy, SignaturePolicyEnvelope
from gridloom.protos.msp.msp_principal_pb2 import MSPRole

from .document import DocumentError, Section, checked_text, nearest
from .topology import Topology


def read_rules(section: Section, key: str = "policies") -> dict[str, str]:
    """Return policy name -> rule; DocumentError for a rule that is no policy."""
    rules = section.section(key)
    found = {}
    for name in rules.keys():  # noqa: SIM118 - a Section is no mapping
        rules.text(name, None)
        found[name] = rules.parsed(name, "", checked_rule)
    return found


def checked_rule(rule: str) -> str:
    """Return the rule itself; PolicyLanguageError when it is no policy."""
    parse_policy(rule)
    return rule


def check_named_msps(topology: Topology) -> None:
    """Raise DocumentError when a rule names an MSP that no organization has."""
    known = [
        *(org.msp_id for org in topology.organizations),
        *(org.msp_id for org in topology.orderer_organizations),
    ]
    for path, rule in _rules(topology):
        for msp_id in _named(rule):
            if msp_id not in known:
                hint = nearest(msp_id, known)
                raise DocumentError(path, f"no organization has the MSP id {msp_id!r}{hint}")


def _rules(topology: Topology) -> Iterator[tuple[str, str]]:
    for index, channel in enumerate(topology.channels):
        path = f"channels[{index}]"
        yield f"{path}.endorsement", channel.endorsement
        for level in ("channel", "application", "orderer"):
            for name, rule in getattr(channel.policies, level).items():
                yield f"{path}.policies.{level}.{name}", rule
    for index, org in enumerate(topology.organizations):
        for name, rule in org.policies.items():
            yield f"organizations[{index}].policies.{name}", rule
    for index, orderer_org in enumerate(topology.orderer_organizations):
        for name, rule in orderer_org.policies.items():
            yield f"orderer_organizations[{index}].policies.{name}", rule


def _named(rule: str) -> Iterator[str]:
    policy = parse_policy(rule)
    if policy.type == Policy.SIGNATURE:
        for principal in SignaturePolicyEnvelope.FromString(policy.value).identities:
            content = principal_content(principal)
            if isinstance(content, MSPRole):
                yield content.msp_identifier


def texts(section: Section) -> dict[str, str]:
    """Return a mapping of texts; true, false and whole numbers are taken as their text."""
    found = {}
    for key in section.keys():  # noqa: SIM118 - a Section is no mapping
        value = section.raw(key)
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int):
            value = str(value)
        found[key] = checked_text(value, section.at(key))
    return found


def unique(named: Iterable[tuple[object, str]], what: str) -> None:
    """Raise DocumentError for the first name that stands twice; named: names with their paths."""
    seen: dict[object, str] = {}
    for name, path in named:
        if name in seen:
            raise DocumentError(path, f"{what} {name!r} stands already at {seen[name]}")
        seen[name] = path
