"""Chaincode definitions: what a channel has agreed on, and what an organisation approved.

The public definition lies in namespace ``_lifecycle`` under ``namespaces/…/<name>``; an
organisation's approval of sequence N in its implicit collection, in parts, under
``namespaces/…/<name>#N`` (parameters) and ``chaincode-sources/…/<name>#N`` (the package).
The order of fields below is hashed: it must not change.
(Fabric: core/chaincode/lifecycle/lifecycle.go)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.peer.collection_pb2 import CollectionConfigPackage, StaticCollectionConfig
from gridloom.protos.peer.lifecycle.chaincode_definition_pb2 import (
    ChaincodeEndorsementInfo,
    ChaincodeValidationInfo,
)

from .serializer import (
    LifecycleStateError,
    ReadableState,
    Record,
    encode_bytes,
    encode_int,
    encode_text,
    field_key,
    read_bytes,
    read_int,
    read_metadata,
)

LIFECYCLE_NAMESPACE = "_lifecycle"
NAMESPACES = "namespaces"
SOURCES = "chaincode-sources"
DEFINITION_TYPE = "ChaincodeDefinition"
PARAMETERS_TYPE = "ChaincodeParameters"
LOCAL_PACKAGE_TYPE = "ChaincodeLocalPackage"
IMPLICIT_PREFIX = "_implicit_org_"


class StateQuery(Protocol):
    """Committed state, or a transaction's simulator: the value of (namespace, key)."""

    def get_state(self, namespace: str, key: str) -> bytes | None: ...


class NamespaceNotDefined(GridloomError):
    """No definition has been committed under this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"namespace {name} is not defined")
        self.name = name


@dataclass(frozen=True, slots=True)
class PublicState:
    """The ``_lifecycle`` namespace of a query or simulator."""

    query: StateQuery

    def get_state(self, key: str) -> bytes | None:
        return self.query.get_state(LIFECYCLE_NAMESPACE, key)


@dataclass(frozen=True, slots=True)
class ChaincodeDefinition:
    """A chaincode as defined on a channel.

    sequence: 1 and up, by one with each redefinition; validation_parameter: the bytes of an
    ``ApplicationPolicy``; collections: the bytes of a ``CollectionConfigPackage``, empty when
    there is none.  Both are hashed and compared as bytes.
    """

    sequence: int
    version: str
    init_required: bool = False
    endorsement_plugin: str = ""
    validation_plugin: str = ""
    validation_parameter: bytes = b""
    collections: bytes = b""

    def collection(self, name: str) -> StaticCollectionConfig | None:
        """Return the explicit collection called ``name``, None when there is none."""
        return static_collections(self.collections).get(name)

    def as_record(self) -> Record:
        """The public record, with its sequence."""
        parameters = self.as_parameters().fields
        return Record(DEFINITION_TYPE, {"Sequence": encode_int(self.sequence), **parameters})

    def as_parameters(self) -> Record:
        """The record an organisation approves: everything but the sequence."""
        endorsement = ChaincodeEndorsementInfo(
            version=self.version,
            init_required=self.init_required,
            endorsement_plugin=self.endorsement_plugin,
        )
        validation = ChaincodeValidationInfo(
            validation_plugin=self.validation_plugin,
            validation_parameter=self.validation_parameter,
        )
        return Record(
            PARAMETERS_TYPE,
            {
                "EndorsementInfo": encode_bytes(endorsement.SerializeToString()),
                "ValidationInfo": encode_bytes(validation.SerializeToString()),
                "Collections": encode_bytes(self.collections),
            },
        )


def local_package(package_id: str) -> Record:
    """The record that says which installed package an approval means; may be empty."""
    return Record(LOCAL_PACKAGE_TYPE, {"PackageID": encode_text(package_id)})


def package_key(private_name: str) -> str:
    """The key of an approval's package id."""
    return field_key(SOURCES, private_name, "PackageID")


def private_name(name: str, sequence: int) -> str:
    """The name of an approval in an organisation's collection."""
    return f"{name}#{sequence}"


def implicit_collection(msp_id: str) -> str:
    """The name of the collection every organisation has in every chaincode."""
    return IMPLICIT_PREFIX + msp_id


def implicit_collection_org(collection: str) -> str | None:
    """The MSP id an implicit collection belongs to; None for an explicit collection."""
    if not collection.startswith(IMPLICIT_PREFIX):
        return None
    return collection.removeprefix(IMPLICIT_PREFIX)


@lru_cache(maxsize=256)
def static_collections(package: bytes) -> Mapping[str, StaticCollectionConfig]:
    """Return the collections of a ``CollectionConfigPackage`` by name (read-only).

    Raises MalformedMessage when the bytes are no such package.
    """
    configs = parse(CollectionConfigPackage, package, "CollectionConfigPackage").config
    return {
        config.static_collection_config.name: config.static_collection_config
        for config in configs
        if config.HasField("static_collection_config")
    }


def current_sequence(name: str, state: ReadableState) -> int:
    """The committed sequence of ``name``; 0 when nothing is defined."""
    return read_int(NAMESPACES, name, "Sequence", state)


def read_definition(name: str, state: ReadableState) -> ChaincodeDefinition | None:
    """Return the committed definition of ``name``, None when there is none.

    Reads the metadata and all four fields: these are the hidden reads of a transaction that
    touches private data.  Raises LifecycleStateError when the state is not a definition.
    """
    metadata = read_metadata(NAMESPACES, name, state)
    if metadata is None:
        return None
    if metadata.datatype != DEFINITION_TYPE:
        raise LifecycleStateError(name, f"not a chaincode type: {metadata.datatype}")
    return _read_parameters(name, current_sequence(name, state), state)


def read_parameters(name: str, sequence: int, state: ReadableState) -> ChaincodeDefinition:
    """Return what an organisation approved for ``name`` at ``sequence``.

    Absent fields read as empty; raises LifecycleStateError for malformed ones.
    """
    return _read_parameters(private_name(name, sequence), sequence, state)


def _read_parameters(record: str, sequence: int, state: ReadableState) -> ChaincodeDefinition:
    return _decode_parameters(
        record,
        sequence,
        read_bytes(NAMESPACES, record, "EndorsementInfo", state),
        read_bytes(NAMESPACES, record, "ValidationInfo", state),
        read_bytes(NAMESPACES, record, "Collections", state),
    )


@lru_cache(maxsize=1024)
def _decode_parameters(
    record: str, sequence: int, endorsement: bytes, validation: bytes, collections: bytes
) -> ChaincodeDefinition:
    try:
        info = parse(ChaincodeEndorsementInfo, endorsement, "EndorsementInfo")
        rules = parse(ChaincodeValidationInfo, validation, "ValidationInfo")
        static_collections(collections)
    except MalformedMessage as error:
        reason = f"could not unmarshal key {NAMESPACES}/fields/{record}: {error}"
        raise LifecycleStateError(record, reason) from error
    return ChaincodeDefinition(
        sequence=sequence,
        version=info.version,
        init_required=info.init_required,
        endorsement_plugin=info.endorsement_plugin,
        validation_plugin=rules.validation_plugin,
        validation_parameter=rules.validation_parameter,
        collections=collections,
    )


class ChaincodeDefinitions:
    """The committed definitions of one channel, seen through any query of its state.

    organizations: the MSP ids of the channel's application organisations, asked anew each
    time because a configuration update may change them.  (Fabric: deployedcc_infoprovider.go)
    """

    def __init__(self, organizations: Callable[[], Iterable[str]] = tuple) -> None:
        self._organizations = organizations

    def definition(self, name: str, query: StateQuery) -> ChaincodeDefinition | None:
        """Return the definition of ``name`` as ``query`` sees it, None when there is none."""
        return read_definition(name, PublicState(query))

    def collection_names(self, namespace: str, reader: StateQuery) -> Collection[str] | None:
        """Return the names of all collections of a chaincode, None when it is not defined.

        Every defined chaincode, and the lifecycle itself, has one for each organisation.
        """
        explicit: Iterable[str] = ()
        if namespace != LIFECYCLE_NAMESPACE:
            definition = self.definition(namespace, reader)
            if definition is None:
                return None
            explicit = static_collections(definition.collections)
        return {*explicit, *map(implicit_collection, self._organizations())}
