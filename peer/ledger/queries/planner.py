"""Which index serves a query: CouchDB's choice, for it decides the order of the results.

Without an index all documents are read in the order of their names; a sort needs an index
that begins with its fields.  (CouchDB: mango_idx:get_usable_indexes, mango_cursor,
mango_cursor_view:choose_best_index.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import QueryRefused
from .evaluate import ID
from .indexes import IndexDefinition
from .request import FindRequest
from .selector import All, BeginsWith, Compare, Comparison, Condition, Exists, Field, Path, Some

NO_INDEX = "No matching index found, create an index to optimize query time."


@dataclass(frozen=True, slots=True)
class Plan:
    """How a query is run.

    index: whose order the results have, None for all documents by name.
    condition: what each result meets; warnings: CouchDB's, for explain.
    """

    request: FindRequest
    index: IndexDefinition | None
    warnings: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[Path, ...]:
        """The fields the results are ordered by, before their names; each of them exists."""
        return self.index.fields if self.index else ()

    @property
    def condition(self) -> Condition:
        """What a result must meet beyond having the fields of the index."""
        if self.index is None or not self.index.is_partial:
            return self.request.selector
        return All((self.request.selector, self.index.only))


def plan(request: FindRequest, indexes: Sequence[IndexDefinition]) -> Plan:
    """Choose an index; QueryRefused if the query wants a sort that none can give."""
    named = [index for index in indexes if _is_named(index, request.use_index)]
    usable = [index for index in indexes if not index.is_partial or index in named]
    usable = [index for index in usable if _is_usable(index, request)]
    if not usable and not _all_documents_serve(request):
        raise QueryRefused(
            "no_usable_index",
            400,
            "No index exists for this sort, try indexing by the sort fields.",
        )
    wanted = [index for index in usable if index in named]
    if request.use_index and not wanted and not request.allow_fallback:
        raise QueryRefused("invalid_index", 400, _unsuitable(request.use_index))
    chosen = _best(wanted or usable, request)
    warnings = [] if wanted or not request.use_index else [_unused(request.use_index)]
    if chosen is None:
        warnings.append(NO_INDEX)
    return Plan(request, chosen, tuple(warnings))


def without_sort_index(request: FindRequest) -> Plan:
    """How a query with a sort would run if CouchDB did not refuse it; for explain only."""
    return Plan(request, IndexDefinition("", "", request.sort))


def constants(condition: Condition) -> frozenset[Path]:
    """Fields that the condition fixes to one value."""
    match condition:
        case All(conditions):
            return frozenset[Path]().union(*map(constants, conditions))
        case Field(path, Compare(Comparison.EQ)):
            return frozenset({path})
        case _:
            return frozenset()


def _is_named(index: IndexDefinition, use_index: Sequence[str]) -> bool:
    if not use_index:
        return False
    ddoc = use_index[0]
    same = index.ddoc == (ddoc if ddoc.startswith("_design/") else f"_design/{ddoc}")
    return same and use_index[1:] in ((), (index.name,))


def _is_usable(index: IndexDefinition, request: FindRequest) -> bool:
    needed = set(index.fields) - set(request.sort) - {ID}
    return needed <= _required(request.selector) and _gives_sort(index, request)


def _gives_sort(index: IndexDefinition, request: FindRequest) -> bool:
    """Whether the index's order is the sort's, fields of one value before it left aside."""
    if not request.sort:
        return True
    fixed = constants(request.selector)
    fields = index.fields
    while fields and fields[0] != request.sort[0] and fields[0] in fixed:
        fields = fields[1:]
    return fields[: len(request.sort)] == request.sort


def _all_documents_serve(request: FindRequest) -> bool:
    return not request.sort or (request.sort == (ID,) and ID in _indexable(request.selector))


def _best(indexes: Sequence[IndexDefinition], request: FindRequest) -> IndexDefinition | None:
    """The index with the longest run of restricted fields, then the shortest, then by name."""
    ranges = _indexable(request.selector)

    def rank(index: IndexDefinition) -> tuple[int, int, str, str]:
        prefix = next((n for n, f in enumerate(index.fields) if f not in ranges), None)
        used = len(index.fields) if prefix is None else prefix
        return len(ranges) - used, len(index.fields), index.ddoc, index.name

    return min(indexes, key=rank, default=None)


def _required(condition: Condition) -> frozenset[Path]:
    """Fields without which no document can meet the condition."""
    match condition:
        case All(conditions):
            return frozenset[Path]().union(*map(_required, conditions))
        case Some((first, *rest)):
            return _required(first).intersection(*map(_required, rest))
        case Field(path, test) if test != Exists(False):
            return frozenset({path})
        case _:
            return frozenset()


def _indexable(condition: Condition) -> frozenset[Path]:
    """Fields that the condition restricts to one range."""
    match condition:
        case All(conditions):
            return frozenset[Path]().union(*map(_indexable, conditions))
        case Field(path, Compare(how)) if how is not Comparison.NE:
            return frozenset({path})
        case Field(path, BeginsWith() | Exists()):
            return frozenset({path})
        case _:
            return frozenset()


def _unsuitable(use_index: Sequence[str]) -> str:
    names = ", ".join((use_index[0].removeprefix("_design/"), *use_index[1:]))
    return f"_design/{names} specified by `use_index` could not be found or it is not suitable."


def _unused(use_index: Sequence[str]) -> str:
    ddoc = use_index[0].removeprefix("_design/")
    if len(use_index) == 1:
        return (
            f"_design/{ddoc} was not used because it does not contain a valid index for this query."
        )
    return (
        f"_design/{ddoc}, {use_index[1]} was not used because it is not a valid index"
        " for this query."
    )
