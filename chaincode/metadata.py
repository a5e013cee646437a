"""What a chaincode says of itself: GetMetadata (Fabric: fabric-contract-api's metadata).

The document is that of contract-schema.json: contracts, their transactions with parameters
and results as JSON schemas, and the schemas of the dataclasses they use.  Tools and the
official clients read it from ``org.hyperledger.fabric:GetMetadata``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from .context import Context
from .contract import Contract
from .serialization import write_json
from .structures import JsonSchema, Record
from .transaction_function import TransactionFunction, transaction

SYSTEM_CONTRACT = "org.hyperledger.fabric"

_SCHEMA = "https://hyperledger.github.io/fabric-chaincode-node/main/api/contract-schema.json"


class SystemContract(Contract):
    """Answers for the chaincode as a whole."""

    name: ClassVar[str] = SYSTEM_CONTRACT

    def __init__(self) -> None:
        self.metadata = b""

    @transaction("evaluate", name="GetMetadata")
    def get_metadata(self, ctx: Context) -> str:
        """Return the metadata document, as JSON."""
        return self.metadata.decode()


class SchemaComponents:
    """The schemas of the dataclasses in use, each under a name of its own."""

    def __init__(self) -> None:
        self.schemas: dict[str, JsonSchema] = {}
        self._names: dict[type, str] = {}

    def reference(self, record: Record) -> JsonSchema:
        """Return a ``$ref`` to the record's schema, describing it at the first call."""
        name = self._names.get(record.type)
        if name is None:
            name = record.name
            while name in self.schemas:  # another class of the same name
                name = f"{record.type.__module__.rpartition('.')[2]}.{name}"
            self._names[record.type] = name
            self.schemas[name] = {}
            self.schemas[name] = self._describe(name, record)
        return {"$ref": f"#/components/schemas/{name}"}

    def _describe(self, name: str, record: Record) -> JsonSchema:
        properties = {field.name: field.converter.schema(self) for field in record.fields}
        schema: JsonSchema = {
            "$id": name,
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
        }
        required = [field.name for field in record.fields if field.required]
        if required:
            schema["required"] = required
        return schema


def describe(contracts: Sequence[Contract], default: str, title: str, version: str) -> bytes:
    """Return the metadata document of a chaincode; default: name of the default contract."""
    components = SchemaComponents()
    document = {
        "$schema": _SCHEMA,
        "info": {"title": title, "version": version},
        "contracts": {
            contract.name: _contract(contract, contract.name == default, components)
            for contract in contracts
        },
        "components": {"schemas": components.schemas},
    }
    return write_json(document)


def _contract(
    contract: Contract, default: bool, components: SchemaComponents
) -> Mapping[str, object]:
    info = {"title": contract.title or contract.name, "version": contract.version}
    if contract.description:
        info["description"] = contract.description
    return {
        "name": contract.name,
        "default": default,
        "info": info,
        "transactions": [
            _transaction(function, components) for function in contract.functions.values()
        ],
    }


def _transaction(
    function: TransactionFunction, components: SchemaComponents
) -> Mapping[str, object]:
    document: dict[str, object] = {
        "name": function.name,
        "tag": [function.kind, function.kind.upper()],
    }
    if function.parameters:
        document["parameters"] = [
            {
                "name": parameter.name,
                "required": parameter.required,
                "schema": parameter.converter.schema(components),
            }
            for parameter in function.parameters
        ]
    returned = function.result.schema(components) if function.declares_result else {}
    if returned and returned != {"type": "null"}:
        document["returns"] = returned
    if function.doc:
        document["description"] = function.doc
    return document
