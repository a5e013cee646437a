"""Health, readiness, version, metrics and log levels over HTTP."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gridloom import __version__
from gridloom.common.log_levels import InvalidLogSpec, activate_spec, active_spec, parse_spec
from gridloom.common.operations import Operations, application
from harness.web import Answer, Direct

NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Node:
    """A node that may be sick or busy."""

    def __init__(self, *, reserved: bool = False) -> None:
        self.sick = ""
        self.busy = ""
        operations = Operations(
            {"disk": lambda: self.sick},
            {"leader": lambda: self.busy},
            lambda: [("height", {"channel": "mychannel"}, 7.0)],
            lambda: NOW,
        )
        self._ask = Direct(application(operations, reserved=reserved))

    async def get(self, path: str) -> Answer:
        return await self._ask("GET", path)

    async def put(self, path: str, body: bytes) -> Answer:
        return await self._ask("PUT", path, body)


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    yield
    activate_spec("info")
    logging.getLogger("gridloom").setLevel(logging.NOTSET)


async def test_a_healthy_node_says_so() -> None:
    answer = await Node().get("/healthz")
    assert answer.status == 200
    assert json.loads(answer.body) == {"status": "OK", "time": NOW.isoformat()}


async def test_a_sick_node_says_what_is_wrong() -> None:
    node = Node()
    node.sick = "full"
    answer = await node.get("/healthz")
    assert answer.status == 503
    failed = json.loads(answer.body)["failed_checks"]
    assert failed == [{"component": "disk", "reason": "full"}]


async def test_a_node_can_be_healthy_and_not_ready() -> None:
    node = Node()
    node.busy = "no leader"
    assert (await node.get("/healthz")).status == 200
    assert (await node.get("/readyz")).status == 503


async def test_version_and_metrics() -> None:
    node = Node()
    version = json.loads((await node.get("/version")).body)
    assert version == {"CommitSHA": "", "Version": __version__}
    assert (await node.get("/metrics")).body == b'height{channel="mychannel"} 7\n'


async def test_levels_are_shown_and_changed() -> None:
    node, spec = Node(), {"spec": "warning:orderer.etcdraft,peer=debug"}
    assert (await node.put("/logspec", json.dumps(spec).encode())).status == 204
    assert json.loads((await node.get("/logspec")).body) == spec
    assert logging.getLogger("gridloom").level == logging.WARNING
    assert logging.getLogger("gridloom.orderer.etcdraft.chain").isEnabledFor(logging.DEBUG)


@pytest.mark.parametrize("body", [b'{"spec": "loud"}', b"{}", b"[]", b"nonsense"])
async def test_nonsense_is_refused_and_changes_nothing(body: bytes) -> None:
    before = active_spec()
    answer = await Node().put("/logspec", body)
    assert answer.status == 400
    assert json.loads(answer.body)["error"]
    assert active_spec() == before


async def test_what_needs_a_certificate_is_refused_where_none_can_be_shown() -> None:
    node = Node(reserved=True)
    assert (await node.get("/healthz")).status == 200
    assert (await node.get("/metrics")).status == 401
    assert (await node.put("/logspec", b'{"spec": "debug"}')).status == 401


def test_a_specification_names_levels_by_logger() -> None:
    levels = parse_spec("error:a,b.=warn:c.d=DEBUG")
    assert levels == {
        "": logging.ERROR,
        "a": logging.WARNING,
        "b": logging.WARNING,
        "c.d": logging.DEBUG,
    }


@pytest.mark.parametrize("spec", ["loud", "a=loud", "=debug", "a,,b=info", "debug=a=b=c"])
def test_a_bad_specification_is_named(spec: str) -> None:
    with pytest.raises(InvalidLogSpec) as caught:
        parse_spec(spec)
    assert caught.value.spec == spec
