"""``register``: a new identity, by a registrar.

(Fabric: fabric-ca lib/serverregister.go)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from .. import attributes
from ..attributes import Attribute, AttributeNotAllowed, check_may_register
from ..authority import Authority
from ..context import RequestContext
from ..identity import Identity, granted_enrollments
from ..messages import Answer
from ..refusals import Code, Refusal, not_authorized
from ..request_body import Body
from ..secret_hash import generate_secret, hash_secret

ROOT_AFFILIATION: Final = "."
"""How a request names the root: an empty affiliation is the registrar's own."""

_LONGEST_ID: Final = 255


def register(context: RequestContext) -> Answer:
    """Register an identity and return its secret."""
    authority, body = context.authority, context.filled_body()
    registrar = context.authenticate_by_token().identity
    identity, secret = registered(authority, registrar, body)
    return Answer({"secret": secret}, 201, location_of(identity.id))


def registered(authority: Authority, registrar: Identity, body: Body) -> tuple[Identity, str]:
    """Register what a body describes; the identity and its secret in the clear. Refusal."""
    identity_id = body.text("id")
    if not identity_id or len(identity_id) > _LONGEST_ID:
        message = f"The name of an identity has 1 to {_LONGEST_ID} characters"
        raise Refusal(400, Code.REGISTERING_IDENTITY, message)
    kind = body.text("type") or registrar.type
    affiliation = body.text("affiliation") or registrar.affiliation
    if affiliation == ROOT_AFFILIATION:
        affiliation = ""
    wanted = body.attributes()
    identity = Identity(
        identity_id, kind, affiliation, _attributes(wanted, identity_id, kind, affiliation)
    )
    _check(authority, registrar, identity, wanted)
    asked, limit = body.integer("max_enrollments"), authority.settings.max_enrollments
    granted = granted_enrollments(asked, limit)
    with authority.database.read() as store:  # hashing is dear, so the likely refusal comes first
        store.identities.check_free(identity_id)
    secret = body.text("secret") or generate_secret(authority.random_bytes)
    identity = replace(
        identity,
        max_enrollments=granted,
        secret_hash=hash_secret(secret, authority.random_bytes),
    )
    with authority.database.write() as store:
        store.identities.add(identity)
    return identity, secret


def location_of(identity_id: str) -> str:
    """The path of an identity."""
    return f"/api/v1/identities/{quote(identity_id, safe='$&+=:@')}"


def _check(
    authority: Authority, registrar: Identity, identity: Identity, wanted: Sequence[Attribute]
) -> None:
    """May the registrar do this? Why not, only the log is told."""
    try:
        registrar.check_manages(identity)
        with authority.database.read() as store:
            if identity.affiliation:
                store.affiliations.check(identity.affiliation)
        check_may_register(wanted, registrar.attributes)
    except (Refusal, AttributeNotAllowed) as error:
        why = error.reason if isinstance(error, Refusal) else str(error)
        reason = f"Registration of {identity.id!r} failed: {why}"
        raise not_authorized(Code.REGISTRAR_AUTHORITY, reason) from error


def _attributes(
    wanted: Sequence[Attribute], identity_id: str, kind: str, affiliation: str
) -> tuple[Attribute, ...]:
    """What was asked for, and what every certificate says of an identity."""
    fixed = (
        Attribute(attributes.ENROLLMENT_ID, identity_id, in_certificate=True),
        Attribute(attributes.TYPE, kind, in_certificate=True),
        Attribute(attributes.AFFILIATION, affiliation, in_certificate=True),
    )
    return tuple({each.name: each for each in (*wanted, *fixed)}.values())
