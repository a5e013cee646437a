"""May this peer run a chaincode, and from which package?

The committed sequence is read through the transaction's simulator, so every invocation
depends on it; approval and package are looked up in the organisation's implicit collection,
by hash, and leave no trace in the read set.
(Fabric: core/chaincode/lifecycle/endorsement_info.go, cache.go)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..errors import ChaincodeHostError, ChaincodeNotFound, ChaincodeNotRunnable
from .collections import implicit_collection
from .definitions import (
    LIFECYCLE_NAMESPACE,
    NAMESPACES,
    SOURCES,
    ChaincodeDefinition,
    ChaincodeDefinitions,
    PublicState,
    StateQuery,
    current_sequence,
    local_package,
    package_key,
    private_name,
)
from .installed import InstalledPackages
from .serializer import metadata_matches, mismatches
from .store import PackageReference

LEGACY_NAMESPACE = "lscc"


class HashQuery(StateQuery, Protocol):
    """Committed state with the hashes of private values."""

    def get_private_data_hash(self, namespace: str, collection: str, key: str) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class HashedCollection:
    """A collection of ``_lifecycle`` seen through its hashes."""

    query: HashQuery
    collection: str

    def get_state_hash(self, key: str) -> bytes | None:
        return self.query.get_private_data_hash(LIFECYCLE_NAMESPACE, self.collection, key)


@dataclass(frozen=True, slots=True)
class EndorsementInfo:
    """What an endorser must know to run a chaincode.

    version: goes into the endorsement; init_required: init must come exactly once for each
    version; package_id: empty for a system chaincode.
    """

    version: str
    init_required: bool = False
    package_id: str = ""
    endorsement_plugin: str = "escc"


@dataclass(frozen=True, slots=True)
class LocalChaincode:
    """A committed definition as this organisation sees it.

    package: None when none was approved or the approved one is not installed.
    """

    definition: ChaincodeDefinition
    approved: bool
    package: PackageReference | None


def local_chaincode(
    name: str,
    msp_id: str,
    definitions: ChaincodeDefinitions,
    query: HashQuery,
    packages: InstalledPackages,
) -> LocalChaincode | None:
    """Return the committed definition with this organisation's approval of it, or None."""
    definition = definitions.definition(name, query)
    if definition is None:
        return None
    record = private_name(name, definition.sequence)
    approvals = HashedCollection(query, implicit_collection(msp_id))
    if mismatches(NAMESPACES, record, definition.as_parameters(), approvals):
        return LocalChaincode(definition, False, None)
    if not metadata_matches(SOURCES, record, local_package(""), approvals):
        return LocalChaincode(definition, True, None)
    package = packages.find(approvals.get_state_hash(package_key(record)))
    return LocalChaincode(definition, True, package)


def require_runnable(
    name: str, channel_id: str, sequence: int, found: LocalChaincode | None
) -> EndorsementInfo:
    """Return how to run what was ``found`` at the ``sequence`` a simulator has read.

    Raises ChaincodeNotRunnable: not approved, not installed, or redefined meanwhile.
    """
    at = found.definition.sequence if found is not None else 0
    if found is None or at != sequence:
        raise ChaincodeNotRunnable(
            f"chaincode cache at sequence {at} but current sequence is {sequence}, "
            f"chaincode definition for '{name}' changed during invoke"
        )
    if not found.approved:
        raise ChaincodeNotRunnable(
            f"chaincode definition for '{name}' at sequence {sequence} on channel "
            f"'{channel_id}' has not yet been approved by this org"
        )
    if found.package is None:
        raise ChaincodeNotRunnable(
            f"chaincode definition for '{name}' exists, but chaincode is not installed"
        )
    definition = found.definition
    return EndorsementInfo(
        version=definition.version,
        init_required=definition.init_required,
        package_id=found.package.id,
        endorsement_plugin=definition.endorsement_plugin,
    )


def read_sequence(name: str, channel_id: str, simulator: StateQuery | None) -> int:
    """Read the committed sequence for an invocation, with the legacy fallback's read.

    Raises ChaincodeNotFound when the chaincode is in neither lifecycle.
    """
    if simulator is None:
        raise ChaincodeHostError(
            f"could not get current sequence for chaincode '{name}' on channel "
            f"'{channel_id}': invalid channel-less operation"
        )
    sequence = current_sequence(name, PublicState(simulator))
    if sequence == 0:
        simulator.get_state(LEGACY_NAMESPACE, name)
        raise ChaincodeNotFound(name)
    return sequence
