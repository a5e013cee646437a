"""``affiliations``: the tree below which identities are registered.

``force`` adds the parents that are missing, moves the identities of an affiliation that is
renamed, and removes those of one that is removed.  (Fabric: fabric-ca lib/serveraffiliations.go)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NoReturn

from .. import attributes
from ..affiliations import AffiliationNode, parent_of, path_to, tree_of
from ..attributes import Attribute
from ..context import RequestContext
from ..identity import Identity
from ..messages import Answer
from ..refusals import Code, Refusal, not_authorized
from .identities import info_of
from .revocation import REASONS

LONGEST: Final = 1024
"""Characters of an affiliation's path, as in fabric-ca's database."""


def list_all(context: RequestContext) -> Answer:
    """The tree below the caller's own affiliation; a root only if it has several children."""
    caller = _manager(context)
    with context.authority.database.read() as store:
        root = tree_of(store.affiliations.names(caller.affiliation))
    if not root.children:
        message = "No affiliations are configured on the CA"
        raise Refusal(404, Code.GETTING_AFFILIATION, message)
    if len(root.children) == 1:
        (root,) = root.children.values()
    return Answer({**_shown(root, {}), "caname": context.ca_name})


def get(context: RequestContext) -> Answer:
    """One, with all below it."""
    caller = _manager(context)
    name = context.request.name
    caller.check_acts_on_affiliation(name)
    with context.authority.database.read() as store:
        store.affiliations.check(name)
        names = store.affiliations.names(name)
    return _answer(context, name, names, ())


def add(context: RequestContext) -> Answer:
    """Add one; its parent must be there unless forced."""
    caller = _manager(context)
    name = context.filled_body().text("name")
    _check_name(name, Code.ADDING_AFFILIATION)
    with context.authority.database.write() as store:
        if name in store.affiliations:
            raise Refusal(409, Code.ADDING_AFFILIATION, "Affiliation already exists")
        caller.check_acts_on_affiliation(name)
        force = context.flag("force", Code.REMOVING_AFFILIATION)
        if not force and parent_of(name):
            store.affiliations.check(parent_of(name))
        for path in path_to(name) if force else [name]:
            store.affiliations.add(path)
    return Answer({"name": name, "caname": context.ca_name}, 201)


def modify(context: RequestContext) -> Answer:
    """Rename one, and with it all below; the identities there move along if forced."""
    caller = _manager(context)
    name, new = context.request.name, context.filled_body().text("name")
    _check_name(new, Code.MODIFYING_AFFILIATION)
    caller.check_acts_on_affiliation(name)
    caller.check_acts_on_affiliation(new)
    wrong = "The 'force' query parameter value must be a boolean"
    force = context.flag("force", Code.ADDING_AFFILIATION, wrong)
    caller.registrar_roles()
    with context.authority.database.write() as store:
        store.affiliations.check(name)
        if new in store.affiliations or new.startswith(f"{name}."):
            message = f"Affiliation '{new}' already exists"
            raise Refusal(409, Code.MODIFYING_AFFILIATION, message)
        there = store.identities.of_affiliation(name)
        if there and not force:
            message = (
                f"The request to modify affiliation '{name}' has the following identities "
                f"associated: {_listed(there)}. Need to use 'force' to remove identities and "
                "affiliation"
            )
            raise Refusal(400, Code.MODIFYING_AFFILIATION, message)
        moved = [_moved(identity, name, new) for identity in there]
        for identity in moved:
            store.identities.replace(identity)
        store.affiliations.rename(name, new)
        names = store.affiliations.names(new)
    return _answer(context, new, names, moved)


def remove(context: RequestContext) -> Answer:
    """Remove one; if forced, with all below and with the identities there."""
    caller = _manager(context)
    authority, name = context.authority, context.request.name
    if not authority.settings.may_remove_affiliations:
        raise not_authorized(Code.REMOVING_AFFILIATION, "Affiliation removal is disabled")
    if caller.affiliation == name:
        raise not_authorized(Code.REMOVING_AFFILIATION, f"{caller.id!r} is of {name!r} itself")
    caller.check_acts_on_affiliation(name)
    force = context.flag("force", Code.REMOVING_AFFILIATION)
    caller.registrar_roles()
    with authority.database.write() as store:
        store.affiliations.check(name)
        there = store.identities.of_affiliation(name)
        names = store.affiliations.names(name)
        _check_removal(name, names, there, force, authority.settings.may_remove_identities)
        ids = [identity.id for identity in there]
        store.identities.remove(ids)
        reason = REASONS["affiliationchanged"]
        store.certificates.revoke_of(ids, reason, authority.now())
        store.affiliations.remove(name)
    return _answer(context, name, names, there)


def _manager(context: RequestContext) -> Identity:
    """The caller, who must have hf.AffiliationMgr; Refusal."""
    caller = context.authenticate_by_token().identity
    caller.check_role(attributes.AFFILIATION_MANAGER)
    return caller


def _check_name(name: str, code: Code) -> None:
    if len(name) > LONGEST:
        raise Refusal(400, code, f"An affiliation has at most {LONGEST} characters")
    if not all(name.split(".")):
        message = f"'{name}' is no affiliation: names separated by '.' are expected"
        raise Refusal(400, code, message)


def _check_removal(
    name: str, names: Sequence[str], there: Sequence[Identity], force: bool, may_remove: bool
) -> None:
    def refuse(reason: str) -> NoReturn:
        raise not_authorized(Code.REMOVING_AFFILIATION, f"Cannot delete {name!r}: {reason}")

    if there and not may_remove:
        refuse("Identity removal is not allowed on server")
    if there and not force:
        refuse(f"it has the identities {_listed(there)}; use 'force'")
    if len(names) > 1 and not force:
        refuse(f"there are {', '.join(names)}; use 'force'")


def _moved(identity: Identity, name: str, new: str) -> Identity:
    affiliation = new + identity.affiliation[len(name) :]
    attribute = Attribute(attributes.AFFILIATION, affiliation, in_certificate=True)
    changed = attributes.changed(identity.attributes, [attribute])
    return replace(identity, affiliation=affiliation, attributes=changed)


def _listed(identities: Sequence[Identity]) -> str:
    return ",".join(identity.id for identity in identities)


def _answer(
    context: RequestContext, name: str, names: Sequence[str], there: Sequence[Identity]
) -> Answer:
    """The tree from ``name`` on, with the identities that a change concerned."""
    node = tree_of(names)
    for path in path_to(name):
        node = node.children[path]
    by_affiliation: dict[str, list[dict[str, object]]] = {}
    for identity in there:
        by_affiliation.setdefault(identity.affiliation, []).append(info_of(identity))
    return Answer({**_shown(node, by_affiliation), "caname": context.ca_name})


def _shown(
    node: AffiliationNode, identities: Mapping[str, list[dict[str, object]]]
) -> dict[str, object]:
    result: dict[str, object] = {"name": node.name}
    if node.children:
        result["affiliations"] = [_shown(child, identities) for child in node.children.values()]
    if node.name in identities:
        result["identities"] = identities[node.name]
    return result
