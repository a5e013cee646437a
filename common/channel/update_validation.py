"""Whether a config update may be applied, and what comes out.

The read set must name the present versions; what the write set changes must be exactly
one version ahead and satisfy the *present* element's mod_policy; new elements start at
version 0 and need nobody's consent of their own, because listing them is a change of
their group.  (Fabric: common/configtx/{update,validator}.go.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridloom.protos.common import common_pb2
from gridloom.protos.common.configtx_pb2 import (
    ConfigGroup,
    ConfigUpdate,
    ConfigUpdateEnvelope,
)

from ..envelopes import open_channel_header, open_payload
from ..errors import MalformedMessage
from ..policies.policy import Policy, PolicyNotSatisfied, SignedData
from ..policies.policy_manager import PolicyManager
from ..wire import parse
from . import names
from .config_map import ConfigMap, Element, config_of, map_config
from .errors import ConfigError, UpdateRejected


def open_config_update(envelope: common_pb2.Envelope) -> ConfigUpdateEnvelope:
    """Return what a CONFIG_UPDATE envelope carries; UpdateRejected when it is none."""
    try:
        header = open_channel_header(envelope)
        if header.type != common_pb2.CONFIG_UPDATE:
            raise UpdateRejected(f"invalid type {header.type}, expected CONFIG_UPDATE")
        return parse(ConfigUpdateEnvelope, open_payload(envelope).data, "ConfigUpdateEnvelope")
    except MalformedMessage as error:
        raise UpdateRejected(str(error)) from error


def apply_update(
    channel_id: str,
    current: Mapping[str, Element],
    policies: PolicyManager,
    update_envelope: ConfigUpdateEnvelope,
) -> ConfigGroup:
    """Return the channel group after an authorized update; UpdateRejected says why not.

    current: the elements of the present configuration.
    """
    try:
        elements = _authorize(channel_id, current, policies, update_envelope)
        return config_of(elements)
    except MalformedMessage as error:
        raise UpdateRejected(str(error)) from error


def signatures_of(update_envelope: ConfigUpdateEnvelope) -> list[SignedData]:
    """Return the config signatures: over their own header followed by the update's bytes."""
    signed = []
    for signature in update_envelope.signatures:
        header = parse(common_pb2.SignatureHeader, signature.signature_header, "SignatureHeader")
        data = signature.signature_header + update_envelope.config_update
        signed.append(SignedData(data, header.creator, signature.signature))
    return signed


def _authorize(
    channel_id: str,
    current: Mapping[str, Element],
    policies: PolicyManager,
    update_envelope: ConfigUpdateEnvelope,
) -> ConfigMap:
    update = parse(ConfigUpdate, update_envelope.config_update, "ConfigUpdate")
    if update.channel_id != channel_id:
        raise UpdateRejected(
            f"ConfigUpdate for channel '{update.channel_id}' but envelope for "
            f"channel '{channel_id}'"
        )
    read_set = _mapped(update.read_set if update.HasField("read_set") else None, "ReadSet")
    try:
        _check_read_set(current, read_set)
    except UpdateRejected as error:
        raise UpdateRejected(f"error validating ReadSet: {error}") from error
    write_set = _mapped(update.write_set if update.HasField("write_set") else None, "WriteSet")
    delta = {
        name: element
        for name, element in write_set.items()
        if name not in read_set or read_set[name].version != element.version
    }
    signatures = signatures_of(update_envelope)
    try:
        _check_delta(current, policies, delta, signatures)
    except UpdateRejected as error:
        # The cause stays the policy's own error where there is one.
        raise UpdateRejected(f"error validating DeltaSet: {error}") from error.__cause__ or error
    return {**current, **delta}


def _mapped(group: ConfigGroup | None, title: str) -> ConfigMap:
    try:
        return {} if group is None else map_config(group)
    except ConfigError as error:
        raise UpdateRejected(f"error mapping {title}: {error}") from error


def _check_read_set(current: Mapping[str, Element], read_set: ConfigMap) -> None:
    for name, element in read_set.items():
        existing = current.get(name)
        if existing is None:
            raise UpdateRejected(
                f"existing config does not contain element for {name} but was in the read set"
            )
        if existing.version != element.version:
            raise UpdateRejected(
                f"proposed update requires that key {name} be at version {element.version}, "
                f"but it is currently at version {existing.version}"
            )


def _check_delta(
    current: Mapping[str, Element],
    policies: PolicyManager,
    delta: ConfigMap,
    signatures: Sequence[SignedData],
) -> None:
    if not delta:
        raise UpdateRejected("delta set was empty -- update would have no effect")
    for name, element in sorted(delta.items()):
        _check_mod_policy(name, element.mod_policy)
        existing = current.get(name)
        if existing is None:
            if element.version != 0:
                raise UpdateRejected(
                    f"attempted to set key {name} to version {element.version}, "
                    "but key does not exist"
                )
            continue
        if element.version != existing.version + 1:
            raise UpdateRejected(
                f"attempt to set key {name} to version {element.version}, "
                f"but key is at version {existing.version}"
            )
        policy = mod_policy_of(existing, policies)
        if policy is None:
            raise UpdateRejected(f"unexpected missing policy {existing.mod_policy} for item {name}")
        try:
            policy.evaluate(signatures)
        except PolicyNotSatisfied as error:
            raise UpdateRejected(f"policy for {name} not satisfied: {error}") from error


def mod_policy_of(element: Element, policies: PolicyManager) -> Policy | None:
    """Return the policy that guards an element, None when it does not exist.

    A relative name is meant in the group that holds the element, for a group in the group
    itself; an absolute one, and the root group's, from the root.
    """
    manager: PolicyManager | None = policies
    if element.groups and not element.mod_policy.startswith("/"):
        inside = (element.key,) if isinstance(element.message, ConfigGroup) else ()
        manager = policies.sub((*element.groups[1:], *inside))
    return manager.find(element.mod_policy) if manager else None


def _check_mod_policy(name: str, mod_policy: str) -> None:
    prefix = f"invalid mod_policy for element {name}"
    if not mod_policy:
        raise UpdateRejected(f"{prefix}: mod_policy not set")
    for index, part in enumerate(mod_policy.removeprefix("/").split("/")):
        try:
            names.check_element_name(part)
        except ConfigError as error:
            raise UpdateRejected(
                f"{prefix}: path element at {index} is invalid: {error}"
            ) from error
