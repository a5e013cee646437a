"""`gridloom market solve`: answers a file of cases, `{"cases": [{id, kind, input}]}`.

What kinds of case there are is kinds/ alone; this module opens the file.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping

from .cases import Fields
from .errors import CaseError
from .kinds import KINDS


def solve(cases: object) -> dict[str, object]:
    """Solve every case; {id: output}.

    cases: a parsed case file; anything beside `cases` and beside a case's id, kind and
    input is ignored.  CaseError names the first case and field that cannot be read.
    """
    listed = cases.get("cases") if isinstance(cases, Mapping) else None
    if not isinstance(listed, list):
        raise CaseError("(file)", "cases", "is not a list")
    answers: dict[str, object] = {}
    for position, case in enumerate(listed):
        case_id, kind, values = _open(position, case)
        if case_id in answers:
            raise CaseError(case_id, "id", "is used twice")
        answers[case_id] = KINDS[kind](Fields(case_id, values))
    return answers


def _open(position: int, case: object) -> tuple[str, str, Mapping[str, object]]:
    place = f"number {position}"
    if not isinstance(case, Mapping):
        raise CaseError(place, "case", "is not an object")
    case_id, kind, values = case.get("id"), case.get("kind"), case.get("input")
    if not isinstance(case_id, str):
        raise CaseError(place, "id", "is not text")
    if not isinstance(kind, str) or kind not in KINDS:
        raise CaseError(case_id, "kind", f"{kind!r} is none of {', '.join(sorted(KINDS))}")
    if not isinstance(values, Mapping):
        raise CaseError(case_id, "input", "is not an object")
    return case_id, kind, values
