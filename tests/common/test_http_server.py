"""A web application on a node's loop: opened at once, loaded when somebody comes."""

import asyncio
import socket
import ssl

import pytest

from gridloom.common.http_server import HttpServer
from gridloom.common.rpc.tls import ClientTls, ServerTls
from gridloom.common.tls_context import client_context
from harness.ordering import material
from harness.ports import free_port
from harness.web import Web, serving


async def hello(scope, receive, send) -> None:
    """Answer every request with its method and path."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send(
        {"type": "http.response.body", "body": f"{scope['method']} {scope['path']}".encode()}
    )


async def test_the_application_is_made_when_the_first_client_comes():
    made = []

    def application():
        made.append(True)
        return hello

    async with serving(application) as web:
        await asyncio.sleep(0.02)
        assert not made
        assert (await web("GET", "/a")).body == b"GET /a"
        assert (await web("PUT", "/b")).body == b"PUT /b"
    assert made == [True]


async def test_many_first_clients_are_all_served():
    async with serving(lambda: hello) as web:
        answers = await asyncio.gather(*(web("GET", f"/{number}") for number in range(20)))
    assert sorted(answer.body for answer in answers) == sorted(
        f"GET /{number}".encode() for number in range(20)
    )


async def test_a_server_nobody_asked_stops_and_frees_its_port():
    port = free_port()
    for _ in range(2):
        server = HttpServer(lambda: hello, f"127.0.0.1:{port}")
        assert await server.start() == port
        await server.stop()
        await server.stop()


async def test_a_taken_port_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = HttpServer(lambda: hello, f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(OSError, match="in use"):
            await server.start()


async def test_an_application_that_cannot_be_made_closes_the_port(caplog):
    def broken():
        raise RuntimeError("no such thing")

    server = HttpServer(broken, "127.0.0.1:0")
    port = await server.start()
    with pytest.raises(OSError):  # noqa: PT011 - reset, or refused
        await Web(port)("GET", "/")
    assert "no such thing" in caplog.text
    await server.stop()


async def test_the_signal_handlers_of_the_process_stay():
    import signal  # noqa: PLC0415

    before = signal.getsignal(signal.SIGINT)
    async with serving(lambda: hello) as web:
        await web("GET", "/")
        assert signal.getsignal(signal.SIGINT) == before


def tls(organization: str, node: str, client_of: str | None) -> tuple[ServerTls, bytes]:
    own = material().node(node).tls
    roots = None if client_of is None else material().organization(client_of).tls_root
    return ServerTls(own.certificate, own.key, roots), own.root


async def test_under_mutual_tls_only_known_clients_are_served():
    server, root = tls("OrdererMSP", "orderer.example.com", "OrdererMSP")
    own = material().node("orderer.example.com").tls
    stranger = material().user("Org1MSP", "User1").tls
    known = client_context(ClientTls(root, own.certificate, own.key))
    unknown = client_context(ClientTls(root, stranger.certificate, stranger.key))
    async with serving(lambda: hello, server, known) as web:
        assert (await web("GET", "/")).status == 200
        for context in (unknown, client_context(ClientTls(root))):
            with pytest.raises(OSError):  # noqa: PT011 - which one depends on the version of TLS
                await Web(web.port, context)("GET", "/")


async def test_old_versions_of_tls_are_refused():
    server, root = tls("OrdererMSP", "orderer.example.com", None)
    context = client_context(ClientTls(root))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(lambda: hello, server, context) as web:
        assert (await web("GET", "/")).status == 200
