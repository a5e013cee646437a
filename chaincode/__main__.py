"""``python -m gridloom.chaincode PATH``: run a chaincode as a service, or show its metadata."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gridloom.common.errors import GridloomError

from .chaincode import Chaincode
from .loader import load_path
from .metadata import SYSTEM_CONTRACT, SystemContract
from .server import ChaincodeServer
from .settings import ServerSettings

_EXAMPLE = """\
examples:
  python -m gridloom.chaincode deploy/examples/basic \\
      --address 127.0.0.1:9999 --id basic_1.0:4ab1...e7

  CHAINCODE_SERVER_ADDRESS=0.0.0.0:9999 CHAINCODE_ID=basic_1.0:4ab1...e7 \\
      python -m gridloom.chaincode deploy/examples/basic

  python -m gridloom.chaincode deploy/examples/basic --metadata

The id is that of the installed package (type ccaas, connection.json with the address).
TLS comes from the environment: CHAINCODE_TLS_DISABLED=false, CHAINCODE_TLS_CERT,
CHAINCODE_TLS_KEY and, for mutual TLS, CHAINCODE_CLIENT_CA_CERT (files in PEM).
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    level = os.environ.get("CORE_CHAINCODE_LOGGING_LEVEL", "INFO").upper()
    logging.basicConfig(level=logging.getLevelNamesMapping().get(level, logging.INFO))
    try:
        chaincode = load_path(options.path, development=options.dev)
        if options.metadata:
            print(_metadata(chaincode))
            return 0
        settings = ServerSettings.from_environment(
            os.environ, address=options.address, package_id=options.id
        )
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(ChaincodeServer(chaincode, settings), settings))
    except (GridloomError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gridloom.chaincode",
        description="Run a Python chaincode as a service that peers dial.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("path", type=Path, metavar="PATH", help="module file or package folder")
    parser.add_argument(
        "--address", default="", help="host:port to listen on (CHAINCODE_SERVER_ADDRESS)"
    )
    parser.add_argument("--id", default="", help="package id (CHAINCODE_ID)")
    parser.add_argument("--dev", action="store_true", help="send tracebacks to clients")
    parser.add_argument(
        "--metadata", action="store_true", help="print the metadata as JSON and stop"
    )
    return parser


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None  # no uvloop there
    import uvloop  # noqa: PLC0415

    return uvloop.new_event_loop


def _metadata(chaincode: Chaincode) -> str:
    system = chaincode.contracts[SYSTEM_CONTRACT]
    return system.metadata.decode() if isinstance(system, SystemContract) else ""


async def _serve(server: ChaincodeServer, settings: ServerSettings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    port = await server.start()
    host = settings.address.rpartition(":")[0]
    print(f"chaincode {settings.package_id} listens on {host}:{port}", file=sys.stderr, flush=True)
    await stopped.wait()
    await server.stop()


if __name__ == "__main__":
    sys.exit(main())
