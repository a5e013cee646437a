"""What a CA is asked and what it answers, whatever carries it.

A ``Request`` is what HTTP delivered, no more; an ``Answer`` is the result before it is written
down in fabric-ca's envelope ``{"result", "errors", "messages", "success"}``.
(Fabric: fabric-ca lib/serverendpoint.go)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from gridloom.common.go_json import go_json

from .refusals import Refusal

Item: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    method: in capitals; uri: path and query as sent, which tokens sign; query: the first value
    of each parameter; name: what the path names, such as an identity; authorization: the
    header, empty without one.
    """

    method: str
    uri: str
    authorization: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    @property
    def uris(self) -> tuple[str, ...]:
        """What a token may have signed: transports lose a question mark with nothing behind."""
        return (self.uri,) if "?" in self.uri else (self.uri, f"{self.uri}?")


@dataclass(frozen=True, slots=True)
class Listing:
    """A result that may be long: it is fetched and sent page by page.

    name: of the list in the result; pages: may touch the database at each step.
    """

    name: str
    pages: Iterator[Sequence[Item]]
    ca_name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """result: for JSON, or a Listing; location: of what was made, empty if nothing was."""

    result: Item | Listing
    status: int = 200
    location: str = ""

    def chunks(self) -> Iterator[str]:
        """The text of the body, in pieces."""
        yield '{"result":'
        if isinstance(self.result, Listing):
            yield from _listed(self.result)
        else:
            yield f"{go_json(self.result)}\n"
        yield ',"errors":[],"messages":[],"success":true}'


def refused(refusal: Refusal) -> str:
    """The text of the body that tells of a refusal."""
    error = go_json({"code": int(refusal.code), "message": refusal.message})
    return f'{{"result":"","errors":[{error}\n],"messages":[],"success":false}}'


def _listed(listing: Listing) -> Iterator[str]:
    yield f'{{"{listing.name}":['
    separator = ""
    for page in listing.pages:
        if page:
            yield separator + ",".join(go_json(item) for item in page)
            separator = ","
    yield f'], "caname":{go_json(listing.ca_name)}}}'
