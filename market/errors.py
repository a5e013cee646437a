"""The market's branch of the error tree.

MarketError
  CaseError      a case file's field does not say what it must
  ProfileError   a cell of load.csv or generation.csv is not a quantity of energy
  CommunityError a community that cannot be: shapes, signs, names
  ScenarioError  a scenario's field does not say what it must
  LedgerDiffers  the ledger computed something else than the same rule does here
  EventsEnded    a peer stopped delivering blocks while the day was traded
  NotCommitted   a transaction of the market day was ordered and found invalid
(Fabric counterpart: none.)
"""

from __future__ import annotations

from gridloom.common.errors import GridloomError


class MarketError(GridloomError):
    """Root of what the market itself reports."""


class CaseError(MarketError):
    """A case cannot be solved as written.

    case_id: the case's id or its position; field: path of the field inside the case;
    reason: what is wrong with it.
    """

    def __init__(self, case_id: str, field: str, reason: str) -> None:
        super().__init__(f"case {case_id}: {field}: {reason}")
        self.case_id = case_id
        self.field = field
        self.reason = reason


class ProfileError(MarketError):
    """A profile file cannot be read.

    file: its path; row, column: the 1-based line and the column's name or number, None
    when the fault is the whole file's or line's; reason: what is wrong.
    """

    def __init__(
        self, file: str, reason: str, *, row: int | None = None, column: str | None = None
    ) -> None:
        place = file
        if row is not None:
            place += f", row {row}"
        if column is not None:
            place += f", column {column}"
        super().__init__(f"{place}: {reason}")
        self.file = file
        self.row = row
        self.column = column
        self.reason = reason


class CommunityError(MarketError):
    """A community cannot be as described; place: which part of it; reason: what is wrong."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class ScenarioError(MarketError):
    """A scenario cannot be run as written.

    source: its file or name; field: path of the field, empty for the whole; reason: what
    is wrong with it.
    """

    def __init__(self, source: str, field: str, reason: str) -> None:
        super().__init__(f"{source}: {field}: {reason}" if field else f"{source}: {reason}")
        self.source = source
        self.field = field
        self.reason = reason


class NotCommitted(MarketError):
    """A transaction of the market day did not become valid.

    function: chaincode and function; transaction_id; code: name of its validation code.
    """

    def __init__(self, function: str, transaction_id: str, code: str) -> None:
        super().__init__(f"{function}: transaction {transaction_id} was committed as {code}")
        self.function = function
        self.transaction_id = transaction_id
        self.code = code


class EventsEnded(MarketError):
    """A peer closed its block events; block: the last one it delivered, -1 for none."""

    def __init__(self, block: int) -> None:
        super().__init__(f"a peer stopped delivering blocks after block {block}")
        self.block = block


class LedgerDiffers(MarketError):
    """The ledger's answer is not the one computed here; what: of which; both answers."""

    def __init__(self, what: str, ledger: object, ours: object) -> None:
        super().__init__(f"{what}: the ledger has {ledger}, computed here {ours}")
        self.what = what
        self.ledger = ledger
        self.ours = ours
