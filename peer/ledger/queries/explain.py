"""How a rich query is run: by which index and which SQL, and what CouchDB would say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import QueryRefused
from .find import Documents
from .planner import plan, without_sort_index
from .request import read_request

ALL_DOCUMENTS = "_all_docs"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found out about a query.

    index: "design document, name" or _all_docs; sql: the statement for a page of ten, its
    parameters written out; steps: the database's own plan.
    complete: False if results of the statement are still held against the selector.
    refused: the error with which a transaction would get no results, "" if it would.
    """

    index: str
    sql: str
    steps: Sequence[str]
    complete: bool
    warnings: Sequence[str]
    refused: str = ""


def explain(documents: Documents, namespace: str, query: str) -> Explanation:
    """Explain a query of a namespace; QueryUnreadable or QueryRefused if it means nothing.

    A sort that no index gives is explained too, and ``refused`` says what CouchDB says.
    """
    request = read_request(query)
    refused = ""
    try:
        chosen = plan(request, documents.indexes(namespace))
    except QueryRefused as error:
        if error.error != "no_usable_index":
            raise
        chosen, refused = without_sort_index(request), str(error)
    sql, steps, complete = documents.explain(namespace, chosen)
    index = chosen.index
    return Explanation(
        index=f"{index.ddoc}, {index.name}" if index and index.ddoc else ALL_DOCUMENTS,
        sql=sql,
        steps=steps,
        complete=complete,
        warnings=(refused,) if refused else chosen.warnings,
        refused=refused,
    )
