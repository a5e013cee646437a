"""``identities``: who is registered, seen and changed by registrars.

(Fabric: fabric-ca lib/serveridentities.go)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from .. import attributes
from ..attributes import Attribute, AttributeNotAllowed, check_may_register
from ..authority import Authority
from ..context import RequestContext
from ..identity import UNLIMITED, Identity
from ..messages import Answer, Item, Listing
from ..refusals import Code, Refusal, not_authorized
from ..registry import shown_attributes
from ..request_body import Body
from ..secret_hash import hash_secret
from .registration import ROOT_AFFILIATION, location_of, registered
from .revocation import REASONS

_NO_ENROLLMENTS: Final = -2
"""What a request names to set max_enrollments to 0, since 0 leaves it as it is."""


def list_all(context: RequestContext) -> Answer:
    """All that the caller may register: of its types, at or below its affiliation."""
    caller = context.authenticate_by_token().identity
    pages = _pages(context.authority, caller, caller.registrar_roles())
    return Answer(Listing("identities", pages, context.ca_name))


def get(context: RequestContext) -> Answer:
    """One of them."""
    caller = context.authenticate_by_token().identity
    with context.authority.database.read() as store:
        identity = store.identities.get(context.request.name)
    caller.check_manages(identity)
    return Answer({**info_of(identity), "caname": context.ca_name})


def add(context: RequestContext) -> Answer:
    """Register a new one; the answer holds its secret."""
    caller = context.authenticate_by_token().identity
    body = context.filled_body()
    if not body.text("id"):
        message = "Missing 'ID' in request to add a new identity"
        raise Refusal(400, Code.ADDING_IDENTITY, message)
    identity, secret = registered(context.authority, caller, body)
    shown = _shown(identity, context.ca_name, secret)
    return Answer(shown, 201, location_of(identity.id))


def modify(context: RequestContext) -> Answer:
    """Change type, affiliation, attributes, limit or secret; what is not named stays."""
    caller = context.authenticate_by_token().identity
    authority = context.authority
    with authority.database.read() as store:
        caller.check_manages(store.identities.get(context.request.name))
    body = context.filled_body()
    secret = body.text("secret")
    hashed = hash_secret(secret, authority.random_bytes) if secret else ""
    with authority.database.write() as store:
        identity = store.identities.get(context.request.name)
        caller.check_manages(identity)  # again, for it may have changed
        affiliation = body.text("affiliation")
        if affiliation not in {"", ROOT_AFFILIATION} and affiliation not in store.affiliations:
            message = f"Affiliation '{affiliation}' is not supported"
            raise Refusal(400, Code.MODIFYING_IDENTITY, message)
        changed = _changed(caller, identity, body)
        if hashed:
            changed = replace(changed, secret_hash=hashed, failed_attempts=0)
        store.identities.replace(changed)
    return Answer(_shown(changed, context.ca_name, secret))


def remove(context: RequestContext) -> Answer:
    """Forget one and revoke what it holds, where the settings allow that."""
    caller = context.authenticate_by_token().identity
    authority, identity_id = context.authority, context.request.name
    if not authority.settings.may_remove_identities:
        raise Refusal(403, Code.REMOVING_IDENTITY, "Identity removal is disabled")
    if identity_id == caller.id and not context.flag("force", Code.REMOVING_AFFILIATION):
        message = "Need to use 'force' option to delete your own identity"
        raise Refusal(403, Code.REMOVING_IDENTITY, message)
    with authority.database.write() as store:
        identity = store.identities.get(identity_id)
        caller.check_manages(identity)
        store.identities.remove([identity_id])
        reason = REASONS["cessationofoperation"]
        store.certificates.revoke_of([identity_id], reason, authority.now())
    return Answer(_shown(identity, context.ca_name))


def info_of(identity: Identity) -> dict[str, object]:
    """An identity as it appears in lists."""
    return {
        "id": identity.id,
        "type": identity.type,
        "affiliation": identity.affiliation,
        "attrs": shown_attributes(identity.attributes) or None,
        "max_enrollments": identity.max_enrollments,
    }


def _shown(identity: Identity, ca_name: str, secret: str = "") -> dict[str, object]:
    """An identity that was changed; Go leaves out what is empty, but for id and affiliation."""
    told = {"secret": secret, "caname": ca_name}
    shown = {name: value for name, value in (info_of(identity) | told).items() if value}
    return {"id": identity.id, "affiliation": identity.affiliation, **shown}


def _pages(
    authority: Authority, caller: Identity, roles: Sequence[str]
) -> Iterator[Sequence[Item]]:
    size = authority.settings.identities_per_chunk
    last = ""
    while True:
        with authority.database.read() as store:
            page = store.identities.page(last, size, caller.affiliation, roles)
        yield [info_of(each) for each in page]
        if len(page) < size:
            return
        last = page[-1].id


def _changed(caller: Identity, identity: Identity, body: Body) -> Identity:
    """The identity as the caller wants it; Refusal when it may not."""
    affiliation, kind, wanted = body.text("affiliation"), body.text("type"), body.attributes()
    if affiliation:
        caller.check_acts_on_affiliation("" if affiliation == ROOT_AFFILIATION else affiliation)
    if kind:
        caller.check_acts_on_type(kind)
    try:
        check_may_register(wanted, caller.attributes, identity.attributes)
    except AttributeNotAllowed as error:
        raise not_authorized(Code.REGISTER_ATTRIBUTE_AUTHORITY, str(error)) from error
    limit = body.integer("max_enrollments")
    if limit < _NO_ENROLLMENTS:
        message = f"Max enrollment may not be less than {UNLIMITED}, but was {limit}"
        raise Refusal(400, Code.INVALID_MAX_ENROLLMENTS, message)
    new = {each.name: each for each in attributes.changed(identity.attributes, wanted)}
    if affiliation == ROOT_AFFILIATION:
        new.pop(attributes.AFFILIATION, None)
        identity = replace(identity, affiliation="")
    elif affiliation:
        new[attributes.AFFILIATION] = Attribute(attributes.AFFILIATION, affiliation, True)
        identity = replace(identity, affiliation=affiliation)
    if kind:
        new[attributes.TYPE] = Attribute(attributes.TYPE, kind, True)
        identity = replace(identity, type=kind)
    if limit:
        identity = replace(identity, max_enrollments=0 if limit == _NO_ENROLLMENTS else limit)
    return replace(identity, attributes=tuple(new.values()))
