"""Last known alive: the latest date that needs a living patient."""

import re
from collections.abc import Iterable
from datetime import date

from app.clinical.dates import Partial, Query, Reason, parse

# Words of a date's kind which say that nobody needed to be alive on it: plans, what a laboratory or an office did
# with a sample or a page, and death itself.
PROVES_NOTHING = frozenset(
    {
        "planned", "plan", "scheduled", "next", "due", "expected", "appointment",
        "result", "results", "report", "reported", "received", "analysis",
        "entry", "entered", "query", "queried", "signature", "signed", "verification", "created", "modified",
        "death", "autopsy", "birth",
    }
)  # fmt: skip


def proves_life(kind: str) -> bool:
    """Whether a date of this kind ("visit", "next_planned_visit", "sample-collection" …) needs a living patient."""
    return PROVES_NOTHING.isdisjoint(re.split(r"[^a-z]+", kind.lower()))


def last_known_alive(
    records: Iterable[tuple[str, str]], *, death: str | None = None, cutoff: date | None = None
) -> date | Query | None:
    """The latest day the subject was certainly alive; None without any proof.

    `records` are (kind, date as written). A partial date counts from its first day. Proof after death is a
    contradiction and asked about, also beyond the cut-off. What lies after the cut-off, a death as well, proves life
    at the cut-off. Dates that prove nothing are not even read.
    """
    died = parse(death) if death else None
    if isinstance(died, Query):
        return died
    latest: date | None = None
    for kind, raw in records:
        if not proves_life(kind):
            continue
        seen = parse(raw)
        if isinstance(seen, Query):
            return seen
        if died is not None and seen.lower > died.upper:
            return Query(Reason.ALIVE_LATER, f"A {kind.replace('_', ' ')} is dated after death: check both dates")
        latest = seen.lower if latest is None else max(latest, seen.lower)
    return at_cutoff(latest, died, cutoff)


def at_cutoff(latest: date | None, died: Partial | None, cutoff: date | None) -> date | None:
    """`latest` as seen at the cut-off: nothing later is shown, and everything later proves life then."""
    if cutoff is None:
        return latest
    if died is not None and died.lower > cutoff:
        return cutoff
    return None if latest is None else min(latest, cutoff)
