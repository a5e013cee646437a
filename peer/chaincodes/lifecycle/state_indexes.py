"""Indexes for rich queries, made from installed packages once their chaincode is defined.

A package carries them in ``META-INF/statedb/couchdb``: ``indexes/*.json`` for the public
state, ``collections/<name>/indexes/*.json`` for a collection.  They are made when both the
committed definition with the own organisation's approval and the package are there,
whichever comes last; what cannot be an index is said in the log and nothing more.
(Fabric: core/ledger/cceventmgmt, privacyenabledstate HandleChaincodeDeploy.)
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from gridloom.common.chaincode_package import InvalidPackage, parse_package, unpack_code
from gridloom.common.errors import GridloomError

from ...ledger.ledger import Ledger
from ...ledger.queries.indexes import IndexDefinition, InvalidIndex, read_index
from ...ledger.state_db import private_namespace
from ...ledger.update_batch import UpdateBatch
from .definitions import (
    DEFINITION_TYPE,
    LIFECYCLE_NAMESPACE,
    NAMESPACES,
    ChaincodeDefinition,
    ChaincodeDefinitions,
)
from .endorsement_info import local_chaincode
from .installed import InstalledPackages
from .serializer import read_all_metadata
from .states import PublicQueryState

_FOLDER = ("META-INF", "statedb", "couchdb")

log = logging.getLogger(__name__)


class StateIndexes:
    """Makes the indexes of one channel's chaincodes.

    Does nothing where the state database has LevelDB's rules.
    """

    def __init__(
        self,
        ledger: Ledger,
        definitions: ChaincodeDefinitions,
        msp_id: str,
        packages: InstalledPackages,
    ) -> None:
        self._ledger = ledger
        self._channel_id = ledger.channel_id
        self._definitions = definitions
        self._msp_id = msp_id
        self._packages = packages
        self._made: set[tuple[str, int, str]] = set()

    def committed(self, updates: UpdateBatch) -> None:
        """Make what a block has made due."""
        if LIFECYCLE_NAMESPACE in updates.public:
            self.refresh()

    def refresh(self) -> None:
        """Make what has become due: after a definition, an installation, or a start."""
        if not self._ledger.rich_queries.supported:
            return
        try:
            self._refresh()
        except GridloomError as error:
            log.error("Error processing indexes on channel [%s]: %s", self._channel_id, error)

    def _refresh(self) -> None:
        query = self._ledger.query_executor()
        try:
            metadata = read_all_metadata(NAMESPACES, PublicQueryState(query))
            names = [name for name, found in metadata.items() if found.datatype == DEFINITION_TYPE]
            found = [
                local_chaincode(name, self._msp_id, self._definitions, query, self._packages)
                for name in names
            ]
        finally:
            query.done()
        for name, chaincode in zip(names, found, strict=True):
            if chaincode is None or not chaincode.approved or chaincode.package is None:
                continue
            package_id = chaincode.package.id
            due = (name, chaincode.definition.sequence, package_id)
            if due not in self._made:
                self._make(name, chaincode.definition, self._packages.load(package_id))
                self._made.add(due)

    def _make(self, name: str, definition: ChaincodeDefinition, package: bytes) -> None:
        for namespace, files in index_files(name, definition, package).items():
            indexes = []
            for file_name, text in sorted(files.items()):
                index = _read(file_name, text, name, self._channel_id)
                if index is not None:
                    indexes.append(index)
            self._ledger.rich_queries.define_indexes(namespace, indexes)


def index_files(
    name: str, definition: ChaincodeDefinition, package: bytes
) -> Mapping[str, Mapping[str, bytes]]:
    """The index files of a package by the namespace of the state they are for."""
    try:
        files = unpack_code(parse_package(package).code)
    except InvalidPackage as error:
        log.error("Index creation: cannot read the package of chaincode [%s]: %s", name, error)
        return {}
    found: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        parts = tuple(path.split("/"))
        match parts[3:-1] if parts[:3] == _FOLDER else ():
            case ("indexes", *_):
                found.setdefault(name, {})[path] = content
            case ("collections", collection, "indexes", *_):
                if definition.collection(collection) is None:
                    log.error(
                        "Error processing index for chaincode [%s]: cannot create an index"
                        " for an undefined collection=[%s]",
                        name,
                        collection,
                    )
                else:
                    found.setdefault(private_namespace(name, collection), {})[path] = content
            case _:
                pass
    return found


def _read(file_name: str, text: bytes, name: str, channel_id: str) -> IndexDefinition | None:
    try:
        return read_index(text)
    except InvalidIndex as error:
        log.error(
            "error creating index from file [%s] for chaincode [%s] on channel [%s]: %s",
            file_name,
            name,
            channel_id,
            error,
        )
        return None
