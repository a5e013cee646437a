"""Health and version of a server of CAs, for those who run it.

(Fabric: fabric-ca lib/server/operations/system.go)
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import FastAPI
from starlette.responses import JSONResponse

from .endpoints.info import VERSION
from .refusals import Refusal
from .service import Service


def operations(service: Service) -> FastAPI:
    """Return the application: ``/healthz`` asks the databases, ``/version`` tells the version."""
    app = FastAPI(openapi_url=None, redirect_slashes=False)

    async def healthz() -> JSONResponse:
        now = datetime.now(UTC).isoformat()
        try:
            await asyncio.to_thread(service.check_health)
        except Refusal as refusal:
            failed = [{"component": "database", "reason": refusal.message}]
            unwell = {"status": "Service Unavailable", "time": now, "failed_checks": failed}
            return JSONResponse(unwell, 503)
        return JSONResponse({"status": "OK", "time": now})

    async def version() -> JSONResponse:
        return JSONResponse({"Version": VERSION})

    app.add_api_route("/healthz", healthz, methods=["GET"])
    app.add_api_route("/version", version, methods=["GET"])
    return app
