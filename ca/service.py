"""What a server of CAs does with a request, without any transport.

    service = Service([authority])
    answer = service.handle(Endpoint.ENROLL, Request("POST", "/api/v1/enroll", basic, body))

``handle`` blocks: it hashes secrets and waits for the database, so whoever serves calls it in
worker threads (``server.py``).  All it raises is ``Refusal``.
(Fabric: fabric-ca lib/server.go, lib/serverendpoint.go)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from threading import Lock
from types import MappingProxyType
from typing import Final

from .authority import Authority, AuthorityUnusable
from .context import RequestContext
from .endpoints import (
    affiliations,
    certificates,
    enrollment,
    idemix,
    identities,
    info,
    registration,
    revocation,
)
from .messages import Answer, Request
from .refusals import Code, Refusal

Handler = Callable[[RequestContext], Answer]


class Endpoint(Enum):
    """The routes, by their paths below ``/`` and ``/api/v1/``."""

    INFO = "cainfo"
    ENROLL = "enroll"
    REENROLL = "reenroll"
    REGISTER = "register"
    REVOKE = "revoke"
    GENCRL = "gencrl"
    IDENTITIES = "identities"
    IDENTITY = "identities/{id}"
    AFFILIATIONS = "affiliations"
    AFFILIATION = "affiliations/{affiliation}"
    CERTIFICATES = "certificates"
    IDEMIX_CREDENTIAL = "idemix/credential"
    IDEMIX_CRI = "idemix/cri"


HANDLERS: Final[Mapping[Endpoint, Mapping[str, Handler]]] = MappingProxyType(
    {
        Endpoint.INFO: {"GET": info.cainfo, "POST": info.cainfo, "HEAD": info.cainfo},
        Endpoint.ENROLL: {"POST": enrollment.enroll},
        Endpoint.REENROLL: {"POST": enrollment.reenroll},
        Endpoint.REGISTER: {"POST": registration.register},
        Endpoint.REVOKE: {"POST": revocation.revoke},
        Endpoint.GENCRL: {"POST": revocation.gencrl},
        Endpoint.IDENTITIES: {"GET": identities.list_all, "POST": identities.add},
        Endpoint.IDENTITY: {
            "GET": identities.get,
            "PUT": identities.modify,
            "DELETE": identities.remove,
        },
        Endpoint.AFFILIATIONS: {"GET": affiliations.list_all, "POST": affiliations.add},
        Endpoint.AFFILIATION: {
            "GET": affiliations.get,
            "PUT": affiliations.modify,
            "DELETE": affiliations.remove,
        },
        Endpoint.CERTIFICATES: {"GET": certificates.list_all, "DELETE": certificates.remove},
        Endpoint.IDEMIX_CREDENTIAL: {"POST": idemix.credential},
        Endpoint.IDEMIX_CRI: {"POST": idemix.credential},
    }
)


class Service:
    """Serves one or more CAs; the first is for requests that name none.

    compatible_1_3: take the tokens of fabric-ca 1.3, too.  AuthorityUnusable when two CAs
    have the same name.
    """

    def __init__(self, authorities: Sequence[Authority], *, compatible_1_3: bool = False) -> None:
        self.authorities: dict[str, Authority] = {}
        for authority in authorities:
            if authority.name in self.authorities:
                raise AuthorityUnusable(authority.name, "another CA has this name, too")
            self.authorities[authority.name] = authority
        self._compatible_1_3 = compatible_1_3
        self._counted: Counter[tuple[Endpoint, int]] = Counter()
        self._counting = Lock()

    def handle(self, endpoint: Endpoint, request: Request) -> Answer:
        """Answer a request; Refusal."""
        status = 500
        try:
            answer = self._handle(endpoint, request)
            status = answer.status
        except Refusal as refusal:
            status = refusal.status
            raise
        finally:
            with self._counting:
                self._counted[endpoint, status] += 1
        return answer

    def _handle(self, endpoint: Endpoint, request: Request) -> Answer:
        handler = HANDLERS[endpoint].get(request.method)
        if handler is None:
            message = f"Method {request.method} is not allowed"
            raise Refusal(405, Code.METHOD_NOT_ALLOWED, message)
        return handler(
            RequestContext(request, self.authorities, compatible_1_3=self._compatible_1_3)
        )

    def ailment(self) -> str:
        """What is wrong with the CAs' databases, empty if nothing is."""
        for authority in self.authorities.values():
            try:
                with authority.database.read() as store:
                    store.identities.find("")
            except Refusal as refusal:
                return f"CA '{authority.name}': {refusal.message}"
        return ""

    def figures(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        """fabric-ca's count of requests: by route and status, under the default CA's name."""
        name = next(iter(self.authorities))
        with self._counting:
            counted = sorted(self._counted.items(), key=lambda each: (each[0][0].value, each[0][1]))
        for (endpoint, status), count in counted:
            labels = {"ca_name": name, "api_name": endpoint.value, "status_code": str(status)}
            yield "api_request_count", labels, count

    def close(self) -> None:
        """Give up the databases."""
        for authority in self.authorities.values():
            authority.close()
