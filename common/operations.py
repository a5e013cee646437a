"""Health, readiness and version of a node over HTTP, and what it logs.

``/healthz`` asks every component; ``/readyz``, ours, whether the node can do its work now, which
a load balancer wants to know; ``/version``, ``/logspec`` and ``/metrics`` are Fabric's
(Fabric: core/operations/system.go, common/flogging/httpadmin).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gridloom import __version__

from .http_server import Application, HttpServer
from .log_levels import InvalidLogSpec, activate_spec, active_spec
from .rpc.tls import ServerTls
from .settings import InvalidSetting, SettingsSource

Check = Callable[[], str]
"""What is wrong with a component, "" if nothing is."""
Gauges = Callable[[], Iterable[tuple[str, Mapping[str, str], float]]]
"""Name, labels and value of each figure worth watching."""


@dataclass(frozen=True, slots=True)
class OperationsSettings:
    """Where the operations service listens, "" for not at all, and its TLS files.

    client_roots: CAs of those who may use it, empty for everybody; then, under TLS, nobody may
    see metrics or the log's levels.
    """

    listen_address: str = ""
    certificate: Path | None = None
    private_key: Path | None = None
    client_roots: tuple[Path, ...] = ()


def read_operations(source: SettingsSource, address: str, tls: str) -> OperationsSettings:
    """Read the settings; address, tls: the keys of the node's own document; InvalidSetting."""
    listen = source.value(address, str, "")
    if listen and ":" not in listen:
        raise InvalidSetting(address, f"{listen!r}: expected host:port")
    if not source.flag(f"{tls}.Enabled"):
        return OperationsSettings(listen)
    missing = Path()
    certificate = source.path(f"{tls}.{_NAMES[tls][0]}", missing)
    key = source.path(f"{tls}.{_NAMES[tls][1]}", missing)
    if missing in {certificate, key}:
        raise InvalidSetting(f"{tls}.Enabled", "needs a certificate and a key")
    demanded = source.flag(f"{tls}.ClientAuthRequired")
    roots = source.paths(f"{tls}.{_NAMES[tls][2]}") if demanded else ()
    if demanded and not roots:
        raise InvalidSetting(f"{tls}.{_NAMES[tls][2]}", "needed: client certificates are required")
    return OperationsSettings(listen, certificate, key, roots)


_NAMES = {
    "Operations.TLS": ("Certificate", "PrivateKey", "ClientRootCAs"),
    "operations.tls": ("cert.file", "key.file", "clientRootCAs.files"),
}


class Operations:
    """What the service tells; healthy, ready: checks by component; gauges: figures."""

    def __init__(
        self,
        healthy: Mapping[str, Check],
        ready: Mapping[str, Check],
        gauges: Gauges = lambda: (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._healthy = healthy
        self._ready = ready
        self._gauges = gauges
        self._now = now

    def health(self) -> tuple[int, dict[str, object]]:
        """Return status and body of /healthz."""
        return self._checked(self._healthy)

    def readiness(self) -> tuple[int, dict[str, object]]:
        """Return status and body of /readyz: healthy, and able to work."""
        return self._checked({**self._healthy, **self._ready})

    def metrics(self) -> str:
        """Return the body of /metrics, in Prometheus's text format."""
        lines = []
        for name, labels, value in self._gauges():
            text = ",".join(f"{key}={json.dumps(label)}" for key, label in labels.items())
            lines.append(f"{name}{{{text}}} {value:g}")
        return "\n".join(lines) + "\n"

    def _checked(self, checks: Mapping[str, Check]) -> tuple[int, dict[str, object]]:
        failed = [
            {"component": component, "reason": reason}
            for component, check in checks.items()
            if (reason := check())
        ]
        body: dict[str, object] = {
            "status": "Service Unavailable" if failed else "OK",
            "time": self._now().isoformat(),
        }
        return (503, body | {"failed_checks": failed}) if failed else (200, body)


def operations_server(settings: OperationsSettings, operations: Operations) -> HttpServer:
    """Return the server; the web framework is imported at the first request."""
    tls = None
    if settings.certificate is not None and settings.private_key is not None:
        roots = b"".join(path.read_bytes() for path in settings.client_roots)
        tls = ServerTls(
            settings.certificate.read_bytes(), settings.private_key.read_bytes(), roots or None
        )
    reserved = tls is not None and tls.client_roots is None
    return HttpServer(
        lambda: application(operations, reserved=reserved), settings.listen_address, tls
    )


def application(operations: Operations, *, reserved: bool = False) -> Application:
    """Return the service as a web application.

    reserved: metrics and the log's levels are for clients with certificates, of which none comes.
    """
    from fastapi import FastAPI, Request  # noqa: PLC0415 - see http_server
    from fastapi.responses import JSONResponse, PlainTextResponse, Response  # noqa: PLC0415

    app = FastAPI(openapi_url=None, redirect_slashes=False)

    def answer(found: tuple[int, dict[str, object]]) -> Response:
        return JSONResponse(found[1], found[0])

    async def health(_: Request) -> Response:
        return answer(operations.health())

    async def readiness(_: Request) -> Response:
        return answer(operations.readiness())

    async def version(_: Request) -> Response:
        return JSONResponse({"CommitSHA": "", "Version": __version__})

    async def refuse(_: Request) -> Response:
        return Response(status_code=401)

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(operations.metrics(), media_type="text/plain; version=0.0.4")

    async def log_spec(_: Request) -> Response:
        return JSONResponse({"spec": active_spec()})

    async def set_log_spec(request: Request) -> Response:
        try:
            body = json.loads(await request.body())
            activate_spec(body["spec"])
        except InvalidLogSpec as error:
            return JSONResponse({"error": str(error)}, 400)
        except (ValueError, TypeError, KeyError) as error:
            return JSONResponse({"error": f'expected {{"spec": ...}}: {error}'}, 400)
        return Response(status_code=204)

    for path, handler in {
        "/healthz": health,
        "/readyz": readiness,
        "/version": version,
        "/metrics": refuse if reserved else metrics,
        "/logspec": refuse if reserved else log_spec,
    }.items():
        app.add_route(path, handler, methods=["GET"])
    app.add_route("/logspec", refuse if reserved else set_log_spec, methods=["PUT"])
    return app
