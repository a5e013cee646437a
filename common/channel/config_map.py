"""A configuration tree as a flat map of named elements, and back.

The names (``[Value]  /Channel/Orderer/BatchTimeout``) stand in Fabric's messages.
(Fabric: common/configtx/{compare,configmap}.go.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from gridloom.protos.common.configtx_pb2 import ConfigGroup, ConfigPolicy, ConfigValue

from . import names
from .errors import ConfigError

T = TypeVar("T", ConfigGroup, ConfigValue, ConfigPolicy)

_PREFIX = {ConfigGroup: "[Group]  ", ConfigValue: "[Value]  ", ConfigPolicy: "[Policy] "}
_ORDERER_CAPABILITIES = "[Value]  /Channel/Orderer/Capabilities"


@dataclass(frozen=True, slots=True)
class Element:
    """A group, value or policy of the tree; groups: the keys above it, from the root."""

    groups: tuple[str, ...]
    key: str
    message: ConfigGroup | ConfigValue | ConfigPolicy

    @property
    def name(self) -> str:
        """Return the full name, such as ``[Group]  /Channel/Application``."""
        return _PREFIX[type(self.message)] + "".join(
            f"/{part}" for part in (*self.groups, self.key)
        )

    @property
    def version(self) -> int:
        """Return the element's version."""
        return self.message.version

    @property
    def mod_policy(self) -> str:
        """Return the policy that a change of the element must satisfy."""
        return self.message.mod_policy


ConfigMap = dict[str, Element]


def map_config(group: ConfigGroup) -> ConfigMap:
    """Return all elements of a channel group by name; ConfigError for an illegal key."""
    found: ConfigMap = {}
    _collect(found, (), names.CHANNEL, group)
    return found


def _collect(found: ConfigMap, groups: tuple[str, ...], key: str, group: ConfigGroup) -> None:
    _add(found, Element(groups, key, group))
    below = (*groups, key)
    for name, child in sorted(group.groups.items()):
        _collect(found, below, name, child)
    for name, value in sorted(group.values.items()):
        _add(found, Element(below, name, value))
    for name, policy in sorted(group.policies.items()):
        _add(found, Element(below, name, policy))


def _add(found: ConfigMap, element: Element) -> None:
    try:
        names.check_element_name(element.key)
    except ConfigError as error:
        prefix = _PREFIX[type(element.message)]
        raise ConfigError(f"illegal characters in key: {prefix}: {error}") from error
    found[element.name] = element


def config_of(elements: Mapping[str, Element]) -> ConfigGroup:
    """Rebuild the channel group: membership from each group's element, content by name.

    An element that no group lists does not appear.  Where the orderer has capabilities an
    empty mod_policy becomes Admins, a repair of channels made by Fabric 1.0 that every
    peer still applies.  ConfigError when a group lists an element that is not in the map.
    """
    return _rebuild(elements, f"/{names.CHANNEL}", repair=_ORDERER_CAPABILITIES in elements)


def _rebuild(elements: Mapping[str, Element], path: str, *, repair: bool) -> ConfigGroup:
    listed = _find(elements, "group", ConfigGroup, path)
    group = ConfigGroup()
    group.CopyFrom(listed)
    for key in listed.groups:
        group.groups[key].CopyFrom(_rebuild(elements, f"{path}/{key}", repair=repair))
    for key in listed.values:
        group.values[key].CopyFrom(_find(elements, "value", ConfigValue, f"{path}/{key}"))
    for key in listed.policies:
        group.policies[key].CopyFrom(_find(elements, "policy", ConfigPolicy, f"{path}/{key}"))
    if repair:
        group.mod_policy = group.mod_policy or names.ADMINS
        for value in group.values.values():
            value.mod_policy = value.mod_policy or names.ADMINS
        for policy in group.policies.values():
            policy.mod_policy = policy.mod_policy or names.ADMINS
    return group


def _find(elements: Mapping[str, Element], what: str, kind: type[T], path: str) -> T:
    element = elements.get(_PREFIX[kind] + path)
    if element is None or not isinstance(element.message, kind):
        raise ConfigError(f"missing {what} at path: {_PREFIX[kind]}{path}")
    return element.message
