"""Chaincode definitions: what a channel has agreed on, and what an organisation approved.

The public definition lies in namespace ``_lifecycle`` under ``namespaces/…/<name>``; an
organisation's approval of sequence N in its implicit collection, in parts, under
``namespaces/…/<name>#N`` (parameters) and ``chaincode-sources/…/<name>#N`` (the package).
The order of fields below is hashed: it must not change.
(Fabric: core/chaincode/lifecycle/lifecycle.go)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.peer.collection_pb2 import StaticCollectionConfig
from gridloom.protos.peer.lifecycle.chaincode_definition_pb2 import (
    ChaincodeEndorsementInfo,
    ChaincodeValidationInfo,
)

from ...ledger.collection_catalog import Redefinition
from .collections import (
    implicit_collection,
    implicit_collection_org,
    implicit_config,
    opened_to,
    static_collections,
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
SEQUENCE_KEY = re.compile(rb"namespaces/fields/([^/]+)/Sequence")


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
    time because a configuration update may change them; msp_id: of the peer that asks, ""
    for one that is in no collection.  (Fabric: deployedcc_infoprovider.go)
    """

    def __init__(
        self, organizations: Callable[[], Iterable[str]] = tuple, msp_id: str = ""
    ) -> None:
        self._organizations = organizations
        self._msp_id = msp_id

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

    def collection(
        self, namespace: str, collection: str, reader: StateQuery
    ) -> StaticCollectionConfig | None:
        """Return the rules of a collection, implicit ones too; None for an unknown one."""
        definition = None
        if namespace != LIFECYCLE_NAMESPACE:
            definition = self.definition(namespace, reader)
            if definition is None:
                return None
        msp_id = implicit_collection_org(collection)
        if msp_id is not None:
            return implicit_config(msp_id)
        return definition.collection(collection) if definition is not None else None

    def block_to_live(self, namespace: str, collection: str, reader: StateQuery) -> int:
        """Return how many blocks a collection's data live; 0: for ever, also for unknown ones."""
        if implicit_collection_org(collection) is not None:
            return 0
        try:
            config = self.collection(namespace, collection, reader)
        except LifecycleStateError:
            return 0
        return config.block_to_live if config is not None else 0

    def redefinitions(
        self, changed: Mapping[str, Collection[bytes]], before: StateQuery, after: StateQuery
    ) -> Sequence[Redefinition]:
        """Return the chaincodes that a block defines, by the keys it changes in namespaces."""
        keys = changed.get(LIFECYCLE_NAMESPACE, ())
        names = [found[1].decode() for key in keys if (found := SEQUENCE_KEY.fullmatch(key))]
        return [self._redefinition(name, before, after) for name in sorted(names)]

    def _redefinition(self, name: str, before: StateQuery, after: StateQuery) -> Redefinition:
        old, new = (self._explicit(name, state) for state in (before, after))
        opened = opened_to(self._msp_id, static_collections(old), static_collections(new))
        return Redefinition(name, new, opened)

    def _explicit(self, name: str, state: StateQuery) -> bytes:
        """A chaincode's CollectionConfigPackage, b"" without a readable definition."""
        try:
            definition = self.definition(name, state)
        except LifecycleStateError:
            return b""
        return definition.collections if definition is not None else b""
