"""Every route, tried with whatever its OpenAPI description lets one think of (schemathesis).

Requests are signed by the registrar, or the secret is right, so that they come past the door:
what comes back is an answer that the description knows, never a failure of the server.
"""

from __future__ import annotations

import asyncio
import base64
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)

from gridloom.ca.service import Service
from gridloom.ca.web import application
from harness.membership import CaClient, Clock, Enrolled, authority
from harness.web import Direct

EXAMPLES = 6
"""For each operation: there are 22."""

BASE = "http://127.0.0.1"
NOT_IMPLEMENTED = {("DELETE", "/api/v1/certificates"): 500}
"""As in fabric-ca; Idemix answers 501."""

APP = application(Service([authority(clock=Clock())]))
RUNNER = asyncio.Runner()
SCHEMA = schemathesis.openapi.from_dict(APP.openapi())


@cache
def registrar() -> Enrolled:
    return RUNNER.run(CaClient(Direct(APP)).enroll("admin", "adminpw"))


def send(case: Any, who: Enrolled) -> Response:
    """Sign a generated request and hand it to the application."""
    arguments = case.as_transport_kwargs(base_url=BASE)
    wanted = {
        name: value
        for name, value in arguments.items()
        if name in {"method", "url", "headers", "params", "json", "data", "cookies", "files"}
    }
    prepared = requests.Request(**wanted).prepare()
    body = prepared.body or b""
    data = body.encode() if isinstance(body, str) else body
    headers = {name: str(value) for name, value in prepared.headers.items()}
    headers["Authorization"] = who.token(prepared.method, prepared.path_url, data)
    if case.path.endswith("/enroll"):
        headers["Authorization"] = f"Basic {base64.b64encode(b'admin:adminpw').decode()}"
    answer = RUNNER.run(Direct(APP)(prepared.method, prepared.path_url, data, headers))
    shown = {name: [value] for name, value in answer.headers.items()}
    return Response(answer.status, shown, answer.body, prepared, 0.0, False)


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_there_is_an_answer(case):
    response = send(case, registrar())
    expected = NOT_IMPLEMENTED.get((case.method, case.path))
    if "/idemix/" in case.path and response.status_code == 501:
        expected = 501
    if response.status_code != expected:
        case.validate_response(
            response,
            checks=[not_a_server_error, status_code_conformance, response_schema_conformance],
        )


@pytest.fixture(scope="module", autouse=True)
def closed():
    yield
    RUNNER.close()


def test_the_description_has_every_route():
    paths = APP.openapi()["paths"]
    assert len(paths) == 13
    assert sum(len(methods) for methods in paths.values()) == 22
