"""What the lifecycle does with definitions and approvals, apart from how it is called.

Sequences grow by one; an organisation approves the next one, or the current one after the
fact; a commit needs its own organisation's approval of exactly what it commits.
(Fabric: ExternalFunctions of core/chaincode/lifecycle/lifecycle.go)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.protos.peer.policy_pb2 import ApplicationPolicy

from .definitions import (
    LOCAL_PACKAGE_TYPE,
    NAMESPACES,
    PARAMETERS_TYPE,
    SOURCES,
    ChaincodeDefinition,
    NamespaceNotDefined,
    current_sequence,
    local_package,
    private_name,
    read_definition,
    read_parameters,
)
from .serializer import (
    OpaqueState,
    ReadableState,
    WritableState,
    mismatches,
    read_metadata,
    read_text,
    serialize,
)

DEFAULT_ENDORSEMENT = "/Channel/Application/Endorsement"


class LifecycleRefusal(GridloomError):
    """A step of the lifecycle that is not allowed now; reason as Fabric words it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Readiness:
    """Which organisations approved a definition, and in what the others differ.

    approvals: by MSP id; mismatches: names of differing parts by MSP id, none left empty.
    """

    approvals: Mapping[str, bool]
    mismatches: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ApprovedDefinition:
    """What an organisation approved; package_id is empty for "not on this organisation's peers"."""

    definition: ChaincodeDefinition
    package_id: str


def fill_defaults(definition: ChaincodeDefinition, bundle: ChannelBundle) -> ChaincodeDefinition:
    """Return the definition with empty parts filled in, as every peer must before hashing."""
    policy = definition.validation_parameter
    if not policy:
        if bundle.policies.find(DEFAULT_ENDORSEMENT) is None:
            raise LifecycleRefusal(
                f"could not set defaults for chaincode definition in channel {bundle.channel_id}: "
                f"policy '{DEFAULT_ENDORSEMENT}' must be defined for channel "
                f"'{bundle.channel_id}' before chaincode operations can be attempted"
            )
        reference = ApplicationPolicy(channel_config_policy_reference=DEFAULT_ENDORSEMENT)
        policy = reference.SerializeToString()
    return replace(
        definition,
        endorsement_plugin=definition.endorsement_plugin or "escc",
        validation_plugin=definition.validation_plugin or "vscc",
        validation_parameter=policy,
    )


def check_commit_readiness(
    name: str,
    definition: ChaincodeDefinition,
    bundle: ChannelBundle,
    public: ReadableState,
    organizations: Mapping[str, OpaqueState],
) -> tuple[ChaincodeDefinition, Readiness]:
    """Return the completed definition and who approved it; LifecycleRefusal out of sequence."""
    following = current_sequence(name, public) + 1
    if definition.sequence != following:
        raise LifecycleRefusal(
            f"requested sequence is {definition.sequence}, but new definition must be "
            f"sequence {following}"
        )
    completed = fill_defaults(definition, bundle)
    return completed, approvals_of(name, completed, organizations)


def approvals_of(
    name: str, definition: ChaincodeDefinition, organizations: Mapping[str, OpaqueState]
) -> Readiness:
    """Compare a definition with every organisation's approval at its sequence, by hashes."""
    record = private_name(name, definition.sequence)
    found = {
        msp_id: tuple(mismatches(NAMESPACES, record, definition.as_parameters(), state))
        for msp_id, state in organizations.items()
    }
    return Readiness(
        {msp_id: not differing for msp_id, differing in found.items()},
        {msp_id: differing for msp_id, differing in found.items() if differing},
    )


def commit(
    name: str,
    definition: ChaincodeDefinition,
    bundle: ChannelBundle,
    public: WritableState,
    organizations: Mapping[str, OpaqueState],
) -> Readiness:
    """Write the next public definition and return who approved it; the caller judges that."""
    completed, readiness = check_commit_readiness(name, definition, bundle, public, organizations)
    serialize(NAMESPACES, name, completed.as_record(), public)
    return readiness


def approve(
    name: str,
    definition: ChaincodeDefinition,
    package_id: str,
    *,
    bundle: ChannelBundle,
    public: ReadableState,
    organization: WritableState,
) -> None:
    """Write an organisation's approval; LifecycleRefusal out of sequence or without change.

    package_id: empty when the organisation does not run the chaincode.
    """
    current = current_sequence(name, public)
    requested = definition.sequence
    _check_sequence(requested, current)
    completed = fill_defaults(definition, bundle)
    if requested == current:
        _check_committed(name, completed, public)
    if _is_unchanged(name, completed, package_id, organization):
        raise LifecycleRefusal(
            f"attempted to redefine the current committed sequence ({current}) for namespace {name}"
            if requested == current
            else f"attempted to redefine uncommitted sequence ({requested}) "
            f"for namespace {name} with unchanged content"
        )
    record = private_name(name, requested)
    serialize(NAMESPACES, record, completed.as_parameters(), organization)
    serialize(SOURCES, record, local_package(package_id), organization)


def query_definition(name: str, public: ReadableState) -> ChaincodeDefinition:
    """Return the committed definition; NamespaceNotDefined when there is none."""
    definition = read_definition(name, public)
    if definition is None:
        raise NamespaceNotDefined(name)
    return definition


def query_approved(
    name: str,
    sequence: int,
    channel_id: str,
    public: ReadableState,
    organization: ReadableState,
) -> ApprovedDefinition:
    """Return an organisation's approval; sequence 0 means its latest one."""
    if sequence == 0:
        sequence = current_sequence(name, public)
        following = private_name(name, sequence + 1)
        if read_metadata(NAMESPACES, following, organization) is not None:
            sequence += 1
    found = _read_approved(name, sequence, organization)
    if found is None:
        raise LifecycleRefusal(
            f"could not fetch approved chaincode definition (name: '{name}', "
            f"sequence: '{sequence}') on channel '{channel_id}'"
        )
    return found


def query_approved_record(record: str, organization: ReadableState) -> ApprovedDefinition:
    """Return the approval stored as ``name#sequence``."""
    name, _, sequence = record.rpartition("#")
    if not name or not sequence.isdecimal():
        raise LifecycleRefusal(f"invalid private name format: {record}")
    approved = _read_approved(name, int(sequence), organization)
    if approved is None:
        raise LifecycleRefusal(f"could not fetch chaincode parameters for {record}")
    return approved


def _read_approved(
    name: str, sequence: int, organization: ReadableState
) -> ApprovedDefinition | None:
    record = private_name(name, sequence)
    metadata = read_metadata(NAMESPACES, record, organization)
    if metadata is None:
        return None
    if metadata.datatype != PARAMETERS_TYPE:
        raise LifecycleRefusal(f"not a chaincode parameters type: {metadata.datatype}")
    definition = read_parameters(name, sequence, organization)
    source = read_metadata(SOURCES, record, organization)
    if source is None:
        raise LifecycleRefusal(f"could not fetch chaincode-source metadata for {record}")
    if source.datatype != LOCAL_PACKAGE_TYPE:
        raise LifecycleRefusal(f"not a chaincode local package type: {source.datatype}")
    return ApprovedDefinition(definition, read_text(SOURCES, record, "PackageID", organization))


def _check_sequence(requested: int, current: int) -> None:
    if requested == current == 0:
        raise LifecycleRefusal("requested sequence is 0, but first definable sequence number is 1")
    if requested < current:
        raise LifecycleRefusal(
            f"currently defined sequence {current} is larger than requested sequence {requested}"
        )
    if requested > current + 1:
        raise LifecycleRefusal(
            f"requested sequence {requested} is larger than the next available "
            f"sequence number {current + 1}"
        )


def _check_committed(name: str, definition: ChaincodeDefinition, public: ReadableState) -> None:
    """Raise LifecycleRefusal unless the committed definition says the same."""
    committed = read_definition(name, public)
    if committed is None:
        raise LifecycleRefusal(
            f"missing metadata for currently committed sequence number ({definition.sequence})"
        )
    difference = _difference(committed, definition)
    if difference:
        raise LifecycleRefusal(
            f"attempted to redefine the current committed sequence ({definition.sequence}) "
            f"for namespace {name} with different parameters: {difference}"
        )


def _is_unchanged(
    name: str, definition: ChaincodeDefinition, package_id: str, organization: ReadableState
) -> bool:
    """Whether the organisation has approved exactly this, package included."""
    record = private_name(name, definition.sequence)
    if read_metadata(NAMESPACES, record, organization) is None:
        return False
    if _difference(read_parameters(name, definition.sequence, organization), definition):
        return False
    if read_metadata(SOURCES, record, organization) is None:
        return False
    return read_text(SOURCES, record, "PackageID", organization) == package_id


def _difference(expected: ChaincodeDefinition, passed: ChaincodeDefinition) -> str:
    """Say what differs first between two definitions; empty when nothing does."""
    pairs = {
        "Version": (expected.version, passed.version),
        "EndorsementPlugin": (expected.endorsement_plugin, passed.endorsement_plugin),
        "InitRequired": (
            str(expected.init_required).lower(),
            str(passed.init_required).lower(),
        ),
        "ValidationPlugin": (expected.validation_plugin, passed.validation_plugin),
        "ValidationParameter": (
            expected.validation_parameter.hex(),
            passed.validation_parameter.hex(),
        ),
    }
    for name, (one, other) in pairs.items():
        if one != other:
            return f"expected {name} '{one}' does not match passed {name} '{other}'"
    return "" if expected.collections == passed.collections else "Collections do not match"
