"""The description of the routes in OpenAPI, for people and for tools that try everything.

(Fabric: fabric-ca swagger/swagger-fabric-ca.json)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from .service import Endpoint

Schema = Mapping[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_NUMBER: Final[Schema] = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}


def _object(*required: str, **properties: Schema) -> Schema:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return schema | ({"required": list(required)} if required else {})


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_ATTRIBUTES: Final = _list(_object("name", "value", name=_TEXT, value=_TEXT, ecert=_FLAG))
_ENROLLMENT: Final = _object(
    "certificate_request",
    certificate_request=_TEXT,
    profile={"type": "string", "enum": ["", "default", "tls", "ca"]},
    hosts=_list(_TEXT),
    attr_reqs=_list(_object("name", name=_TEXT, optional=_FLAG)),
    caname=_TEXT,
)
_IDENTITY: Final = {
    "type": _TEXT,
    "affiliation": _TEXT,
    "attrs": _ATTRIBUTES,
    "max_enrollments": _NUMBER,
    "secret": _TEXT,
    "caname": _TEXT,
}
_REGISTRATION: Final = _object("id", id=_TEXT, **_IDENTITY)
_REVOCATION: Final = _object(
    id=_TEXT, serial=_TEXT, aki=_TEXT, reason=_TEXT, gencrl=_FLAG, caname=_TEXT
)
_TIMES: Final = ("revokedafter", "revokedbefore", "expireafter", "expirebefore")
_AFFILIATION: Final = _object("name", name=_TEXT, caname=_TEXT)

_BODIES: Final[Mapping[tuple[Endpoint, str], Schema]] = MappingProxyType(
    {
        (Endpoint.INFO, "POST"): _object(caname=_TEXT),
        (Endpoint.ENROLL, "POST"): _ENROLLMENT,
        (Endpoint.REENROLL, "POST"): _ENROLLMENT,
        (Endpoint.REGISTER, "POST"): _REGISTRATION,
        (Endpoint.REVOKE, "POST"): _REVOCATION,
        (Endpoint.GENCRL, "POST"): _object(caname=_TEXT, **dict.fromkeys(_TIMES, _MOMENT)),
        (Endpoint.IDENTITIES, "POST"): _REGISTRATION,
        (Endpoint.IDENTITY, "PUT"): _object(**_IDENTITY),
        (Endpoint.AFFILIATIONS, "POST"): _AFFILIATION,
        (Endpoint.AFFILIATION, "PUT"): _AFFILIATION,
        (Endpoint.IDEMIX_CREDENTIAL, "POST"): _object(request=_object(), caname=_TEXT),
        (Endpoint.IDEMIX_CRI, "POST"): _object(caname=_TEXT),
    }
)
_PARAMETERS: Final[Mapping[tuple[Endpoint, str], tuple[str, ...]]] = MappingProxyType(
    {
        (Endpoint.IDENTITY, "DELETE"): ("force",),
        (Endpoint.AFFILIATIONS, "POST"): ("force",),
        (Endpoint.AFFILIATION, "PUT"): ("force",),
        (Endpoint.AFFILIATION, "DELETE"): ("force",),
        (Endpoint.CERTIFICATES, "GET"): (
            "id",
            "aki",
            "serial",
            "notrevoked",
            "notexpired",
            "revoked_start",
            "revoked_end",
            "expired_start",
            "expired_end",
        ),
    }
)
_ANSWER: Final = _object(
    "result",
    "errors",
    "messages",
    "success",
    result={},
    errors=_list(_object("code", "message", code={"type": "integer"}, message=_TEXT)),
    messages=_list({}),
    success=_FLAG,
)
_CREATES: Final = frozenset(
    {
        (Endpoint.ENROLL, "POST"),
        (Endpoint.REENROLL, "POST"),
        (Endpoint.REGISTER, "POST"),
        (Endpoint.IDENTITIES, "POST"),
        (Endpoint.AFFILIATIONS, "POST"),
    }
)


def describe(endpoint: Endpoint, method: str, base: str) -> dict[str, Any]:
    """What FastAPI is told of a route; the shorter path is left out of the description."""
    key = (endpoint, method)
    content = {"application/json": {"schema": _ANSWER}} if method != "HEAD" else {}
    extra: dict[str, Any] = {"parameters": [_query("ca")]}
    extra["parameters"] += [_query(name) for name in _PARAMETERS.get(key, ())]
    if "{" in endpoint.value:
        name = endpoint.value.partition("{")[2].rstrip("}")
        path = {"name": name, "in": "path", "required": True, "schema": _TEXT}
        extra["parameters"].append(path)
    if key in _BODIES:
        body = {"application/json": {"schema": _BODIES[key]}}
        extra["requestBody"] = {"content": body, "required": endpoint is not Endpoint.INFO}
    if endpoint is not Endpoint.INFO:
        extra["security"] = [{"basic" if endpoint is Endpoint.ENROLL else "token": []}]
    status = 201 if key in _CREATES else 200
    return {
        "operation_id": f"{method.lower()}_{endpoint.name.lower()}_{len(base)}",
        "include_in_schema": base != "/",
        "status_code": status,
        "responses": {
            status: {"description": "done", "content": content},
            "default": {"description": "refused", "content": content},
        },
        "openapi_extra": extra,
    }


def _query(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": _TEXT}
