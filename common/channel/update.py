"""What a config update has to say to get from one configuration to another.

Unchanged members are named by their version only, and only where the membership of their
group changes; changed ones carry version + 1.  (Fabric: internal/configtxlator/update.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gridloom.protos.common.configtx_pb2 import (
    Config,
    ConfigGroup,
    ConfigPolicy,
    ConfigUpdate,
    ConfigValue,
)

from .errors import ConfigError

M = TypeVar("M", ConfigGroup, ConfigValue, ConfigPolicy)
Leaf = TypeVar("Leaf", ConfigValue, ConfigPolicy)


def compute_update(channel_id: str, original: Config, updated: Config) -> ConfigUpdate:
    """Return the update with its read and write sets; ConfigError when nothing differs."""
    for name, config in (("original", original), ("updated", updated)):
        if not config.HasField("channel_group"):
            raise ConfigError(f"no channel group included for {name} config")
    read, write, changed = _group_update(original.channel_group, updated.channel_group)
    if not changed:
        raise ConfigError("no differences detected between original and updated config")
    return ConfigUpdate(channel_id=channel_id, read_set=read, write_set=write)


@dataclass(slots=True)
class _Changes(Generic[M]):
    """The members of one kind: those to read, to write, the same, and whether any came or went."""

    read: dict[str, M] = field(default_factory=dict)
    write: dict[str, M] = field(default_factory=dict)
    same: dict[str, M] = field(default_factory=dict)
    membership: bool = False


def _group_update(
    original: ConfigGroup, updated: ConfigGroup
) -> tuple[ConfigGroup, ConfigGroup, bool]:
    """Return (read set, write set, whether anything below differs)."""
    values = _leaf_changes(original.values, updated.values, ConfigValue)
    policies = _leaf_changes(original.policies, updated.policies, ConfigPolicy)
    groups = _group_changes(original.groups, updated.groups)
    read = ConfigGroup(version=original.version)
    write = ConfigGroup(version=original.version)
    rewritten = (
        values.membership
        or policies.membership
        or groups.membership
        or original.mod_policy != updated.mod_policy
    )
    if rewritten:
        write.version += 1
        write.mod_policy = updated.mod_policy
    _fill(read, write, values, policies, groups, with_same=rewritten)
    changed = bool(values.write or policies.write or groups.write)
    return read, write, rewritten or changed


def _fill(
    read: ConfigGroup,
    write: ConfigGroup,
    values: _Changes[ConfigValue],
    policies: _Changes[ConfigPolicy],
    groups: _Changes[ConfigGroup],
    *,
    with_same: bool,
) -> None:
    for side, target in (("read", read), ("write", write)):
        for key, value in _side(values, side, with_same).items():
            target.values[key].CopyFrom(value)
        for key, policy in _side(policies, side, with_same).items():
            target.policies[key].CopyFrom(policy)
        for key, group in _side(groups, side, with_same).items():
            target.groups[key].CopyFrom(group)


def _side(changes: _Changes[M], side: str, with_same: bool) -> dict[str, M]:
    changed = changes.read if side == "read" else changes.write
    return {**changed, **changes.same} if with_same else changed


def _leaf_changes(
    original: Mapping[str, Leaf], updated: Mapping[str, Leaf], kind: type[Leaf]
) -> _Changes[Leaf]:
    changes: _Changes[Leaf] = _Changes()
    changes.membership = original.keys() != updated.keys()
    for key in updated:
        written = kind()
        written.CopyFrom(updated[key])
        if key not in original:
            written.version = 0
            changes.write[key] = written
            continue
        written.version = original[key].version
        if written == original[key]:
            changes.same[key] = kind(version=original[key].version)
        else:
            written.version += 1
            changes.write[key] = written
    return changes


def _group_changes(
    original: Mapping[str, ConfigGroup], updated: Mapping[str, ConfigGroup]
) -> _Changes[ConfigGroup]:
    changes: _Changes[ConfigGroup] = _Changes()
    changes.membership = original.keys() != updated.keys()
    for key in updated:
        if key not in original:
            _, write, _ = _group_update(ConfigGroup(), updated[key])
            write.version = 0
            write.mod_policy = updated[key].mod_policy
            changes.write[key] = write
            continue
        read, write, changed = _group_update(original[key], updated[key])
        if changed:
            changes.read[key] = read
            changes.write[key] = write
        else:
            changes.same[key] = read
    return changes
