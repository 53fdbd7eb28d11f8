"""What a trial is: its forms, arms, sites, visits, statuses, milestones and endpoints, as one value.

The model knows shapes only. Whether the names in it exist in the forms it lists is asked by `app.study.check`.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints

from app.clinical.endpoints.definition import Endpoint, Milestone, Rate
from app.forms.definition import Check, CodeText, Id, Words
from app.study.part import Part, Whole
from app.study.review import Signing, SourceVerification

SiteId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,12}$")]
StudyId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9-]{1,31}$")]
VisitCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,15}$")]
Version = Annotated[int, Field(ge=1, le=9999, strict=True)]
# A century either way: a date of this century plus the largest offset is still a date.
Days = Annotated[int, Field(ge=-36525, le=36525, strict=True)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown; a folder; no such file name
        raise ValueError("no such time zone; write an IANA name such as Asia/Shanghai") from None
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


def _in_order(window: tuple[int, int]) -> tuple[int, int]:
    if window[0] > window[1]:
        raise ValueError("a window is written [first day, last day] around the target, for example [-7, 7]")
    return window


class Arm(Part):
    """A treatment arm; `code` is what the randomisation page stores."""

    code: CodeText
    label: Words


class Site(Part):
    """A hospital that takes part; `zone` stands for the study's where absent."""

    id: SiteId
    name: Words
    zone: Zone | None = None


class Pick(StrEnum):
    """Which of the values of an item, over all pages of a subject, a fact is.

    `newest` is the one saved last; the others go by the day of the page. `previous`, `best` and `history` look at pages
    of earlier days than the page that asks, `current` also at those of its own day. `series` and `history` are all of
    them as day=value|day=value (the days alone, where the item is the day of the page), `any` is whether there is one.
    """

    NEWEST = "newest"
    FIRST = "first"
    LAST = "last"
    PREVIOUS = "previous"
    BEST = "best"
    CURRENT = "current"
    HISTORY = "history"
    SERIES = "series"
    ANY = "any"


class Fact(Part):
    """What `subject.<name>` means in an expression: a value of an item over the subject's records.

    `when` narrows the pages, `until` (another fact, a date) to those of its day or before; `order` is that of the
    codes of `best`, the least first.
    """

    name: Id
    form: Id
    item: Id
    pick: Pick = Pick.NEWEST
    when: str | None = None
    until: Id | None = None
    order: tuple[CodeText, ...] = ()

    @property
    def of_page(self) -> bool:
        """Whether it depends on the page that asks."""
        return self.pick in {Pick.PREVIOUS, Pick.BEST, Pick.CURRENT, Pick.HISTORY}


class StudyCheck(Check):
    """An edit check that the study adds to a form: it may also ask about the visit's window and about endpoints."""

    form: Id


class Due(Part):
    """One of a visit's optional pages that is due for those for whom `when` is true."""

    form: Id
    when: str


class Visit(Part):
    """A visit: where it stands in time, and which pages are due or may be entered at it.

    `target` and `window` are days after the anchor's date, transplant-day convention: day 0 is the anchor itself. The
    anchor is the first occurrence of its milestone, or the one that `occurrence` says; `each` plans the visit again
    for every occurrence, as its repeat of that number.
    """

    code: VisitCode
    label: Words
    anchor: Id | None = None
    occurrence: Literal["each", "last"] | Annotated[int, Field(ge=1, le=99, strict=True)] = 1
    target: Days | None = None
    window: Annotated[tuple[Days, Days], AfterValidator(_in_order)] | None = None
    repeating: bool = False
    when: str | None = None
    forms: tuple[Id, ...] = ()
    optional: tuple[Id, ...] = ()
    due: tuple[Due, ...] = ()

    @property
    def repeats(self) -> bool:
        """Whether there may be a second one of it."""
        return self.repeating or self.occurrence == "each"


class Status(Part):
    """A subject status; the last one in the file whose milestone has occurred is the status."""

    code: Id
    milestone: Id
    label: Words | None = None


class Study(Whole):
    """One version of a study. The keys of the file are singular ([[visit]]), the attributes plural."""

    study: StudyId
    version: Version
    short: tuple[Annotated[str, StringConstraints(min_length=1, max_length=40)], ...] = ()
    title: Words
    zone: Zone
    ctcae: Literal["5.0", "6.0"]
    report_day: Annotated[int, Field(ge=1, le=36525, strict=True)]
    forms: dict[Id, Version]
    arms: tuple[Arm, ...] = Field(default=(), alias="arm")
    sites: tuple[Site, ...] = Field(alias="site", min_length=1)
    parameters: dict[Id, Annotated[str, StringConstraints(min_length=1, max_length=200)]] = Field(default_factory=dict)
    facts: tuple[Fact, ...] = Field(default=(), alias="fact")
    visits: tuple[Visit, ...] = Field(alias="visit", min_length=1)
    ends: tuple[Id, ...] = ()
    statuses: tuple[Status, ...] = Field(alias="status", min_length=1)
    milestones: tuple[Milestone, ...] = Field(default=(), alias="milestone")
    endpoints: tuple[Endpoint, ...] = Field(default=(), alias="endpoint")
    rates: tuple[Rate, ...] = Field(default=(), alias="rate")
    checks: tuple[StudyCheck, ...] = Field(default=(), alias="check")
    sdv: SourceVerification | None = None
    signing: Signing | None = None

    @cached_property
    def named(self) -> Mapping[str, str]:
        """What `study.<name>` means in an expression: the parameters of the study, its CTCAE version among them."""
        return {**self.parameters, "ctcae": self.ctcae}

    @cached_property
    def memo(self) -> dict[str, Any]:
        """For what others work out from it once."""
        return {}

    @cached_property
    def by_code(self) -> dict[str, Visit]:
        """The visits by their codes."""
        return {visit.code: visit for visit in self.visits}

    def visit(self, code: str) -> Visit:
        """The visit of this code. Raises KeyError: a visit nobody planned is a question, not a guess."""
        return self.by_code[code]
