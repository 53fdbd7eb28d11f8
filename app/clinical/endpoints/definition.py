"""What a study file may say about milestones, endpoints and rates.

The models refuse what is malformed in itself, with the remedy in the message; `check.py` refuses what does not fit
together. Nothing here is read per subject: `milestones.py` and `engine.py` compile these models once.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.clinical.dates import Policy

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
VariantCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,31}$")]
Names = tuple[Name, ...]
SomeNames = Annotated[Names, Field(min_length=1)]
Day = Annotated[int, Field(ge=0)]

PRIMARY = "PRIMARY"
ORIGIN = "origin"  # as an operand: the time zero of whichever endpoint is being evaluated
LAST_ALIVE = "last_alive"  # built in: every date item marked as proving life

FILTERS = ("after", "on_or_after", "before", "on_or_before")
OPERATORS = ("any_of", "latest_of", "first", "last", "last_before", "confirmed_by", "absent_by", "offset_days", "gap")
_OF = ("filter", "last_before", "confirmed_by", "absent_by", "offset_days", "gap")  # operators that work on `of`


class Strict(BaseModel):
    """Frozen; a key that is not known is an error, so that a typing mistake is never silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Words(Strict):
    """The same words in English and Chinese."""

    en: Annotated[str, Field(min_length=1)]
    zh: Annotated[str, Field(min_length=1)]


class MilestoneSource(Strict):
    """Where a captured milestone is read: a date item of a form, when a condition over the page holds."""

    form: Name
    date: Name
    when: str | None = None  # CEL over the page (or row) and the subject
    rows: Name | None = None  # a repeating section: one occurrence per row
    show: Names = ()  # items shown beside the date
    undated: bool = False  # the page says that it happened; the item is where it says so, its date is not the day

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.undated and self.when is None:
            raise ValueError("`undated = true` says that it happened: say in `when` on which pages")
        return self


class Absence(Strict):
    """Nothing by `offset_days` after the first `landmark`; `assessed`: only of those seen after the landmark."""

    landmark: str
    offset_days: int = 0
    assessed: Name | None = None


class Gap(Strict):
    """Too long without: `missed` planned `visits` in a row, or more than `days` days."""

    missed: Annotated[int, Field(ge=1)] | None = None
    visits: tuple[str, ...] = ()
    days: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.missed is None) == (self.days is None) or (self.missed is None) != (not self.visits):
            msg = 'Measure the gap one way: { missed = 2, visits = ["D30", "D60"] } or { days = 120 }'
            raise ValueError(msg)
        return self


class Milestone(Strict):
    """A named set of dated occurrences: captured (`from`) or derived from other milestones by one operator."""

    name: Name
    label: Words
    # captured
    from_: Annotated[tuple[MilestoneSource, ...], Field(alias="from")] = ()
    once: bool = False
    impute: Policy = Policy.FIRST
    not_before_last: Name | None = None
    lower_bound: Name | None = None
    alive: Name | None = None
    after_cutoff: Literal["drop", "clamp"] = "drop"
    # derived
    any_of: SomeNames | None = None
    latest_of: SomeNames | None = None
    first: Name | None = None
    last: Name | None = None
    of: Name | None = None
    after: Name | None = None
    on_or_after: Name | None = None
    before: Name | None = None
    on_or_before: Name | None = None
    last_before: Name | None = None
    confirmed_by: Name | None = None
    within_days: tuple[Day, Day] | None = None
    absent_by: Absence | None = None
    offset_days: int | None = None
    gap: Gap | None = None

    @property
    def operators(self) -> list[str]:
        """The operators named; a sound derived milestone has exactly one."""
        named = [key for key in OPERATORS if getattr(self, key) is not None]
        return ["filter", *named] if any(getattr(self, key) is not None for key in FILTERS) else named

    @property
    def operator(self) -> str:
        """The one operator, or "captured"."""
        return "captured" if self.from_ else self.operators[0]

    @property
    def operands(self) -> dict[str, str]:
        """Every milestone this one is made from: the place it is named -> its name (`origin` included)."""
        single = ("first", "last", "of", *FILTERS, "last_before", "confirmed_by")
        found = {key: name for key in single if (name := getattr(self, key)) is not None}
        for key in ("any_of", "latest_of"):
            found |= {f"{key}[{number}]": name for number, name in enumerate(getattr(self, key) or ())}
        if self.absent_by is not None:
            found["absent_by.landmark"] = self.absent_by.landmark
            if self.absent_by.assessed is not None:
                found["absent_by.assessed"] = self.absent_by.assessed
        return found

    @property
    def references(self) -> dict[str, str]:
        """Captured milestones a partial date of this one is bounded by: the key -> their name."""
        return {key: name for key in _REFERENCES.values() if (name := getattr(self, key)) is not None}

    @model_validator(mode="after")
    def _sound(self) -> Self:
        problem = self._captured_problem() if self.from_ else self._derived_problem()
        if problem:
            raise ValueError(problem)
        return self

    def _captured_problem(self) -> str | None:
        if self.operators or self.of is not None or self.within_days is not None:
            return "A milestone is read from pages or derived: take away `from` or the operator"
        for policy, key in _REFERENCES.items():
            given, needed = getattr(self, key) is not None, self.impute is policy
            if needed and not given:
                return f'impute = "{policy}" needs `{key}`: name the milestone that bounds it'
            if given and not needed:
                return f'`{key}` is read only with impute = "{policy}": take it away or change impute'
        return None

    def _derived_problem(self) -> str | None:
        named = self.operators
        works_on_of = bool(named) and named[0] in _OF
        within, captured_only = self.within_days, self.once or self.after_cutoff != "drop" or bool(self.references)
        rules = (
            (not named, "Say where it comes from: `[[milestone.from]]`, or one operator such as any_of, first, gap"),
            (len(named) > 1, f"One operator per milestone, here are {', '.join(named)}: split it into two milestones"),
            (works_on_of and self.of is None, f"`{', '.join(named)}` needs `of`: the milestone it works on"),
            (not works_on_of and self.of is not None, f"`of` means nothing beside `{', '.join(named)}`: take it away"),
            (
                (within is None) != (self.confirmed_by is None),
                "`confirmed_by` and `within_days = [1, 90]` belong together: give both or neither",
            ),
            (within is not None and within[0] > within[1], "`within_days` runs from fewer to more days: swap them"),
            (
                captured_only or self.impute is not Policy.FIRST,
                "once, impute (with its bound) and after_cutoff belong to a captured milestone: move them there",
            ),
        )
        return next((message for broken, message in rules if broken), None)


_REFERENCES = {Policy.DEATH: "alive", Policy.RELAPSE: "not_before_last", Policy.AE_START: "lower_bound"}


class Outcome(Strict):
    """One step of the precedence list: `{ event = "…" }` or `{ competing = "…" }`."""

    event: Name | None = None
    competing: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.event is None) == (self.competing is None):
            msg = 'An outcome is one milestone: { event = "…" } or { competing = "…" }'
            raise ValueError(msg)
        return self

    @property
    def milestone(self) -> str:
        """The milestone named."""
        return self.event or self.competing or ""


class CensorAt(Strict):
    """Extra censoring at `milestone`; `at`: the milestone whose last occurrence up to then is the censoring date."""

    milestone: Name
    at: Name | None = None


class Variant(Strict):
    """A sensitivity analysis: every key given replaces the endpoint's as a whole, every key in `without` goes."""

    code: VariantCode
    label: Words
    basis: Words | None = None
    population: Names | None = None
    origin: Name | None = None
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1)] | None = None
    censor: SomeNames | None = None
    truncate_day: Day | None = None
    report_day: Day | None = None
    redate_to_origin: Names | None = None
    censor_at: tuple[CensorAt, ...] | None = None
    entry: Name | None = None
    without: tuple[
        Literal["population", "truncate_day", "report_day", "redate_to_origin", "censor_at", "entry"], ...
    ] = ()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.code == PRIMARY:
            raise ValueError("PRIMARY is the endpoint itself: give the variant another code")
        for key in self.without:
            if getattr(self, key) is not None:
                msg = f"`{key}` is both given and in `without`: keep one"
                raise ValueError(msg)
        return self


class Endpoint(Strict):
    """A time-to-event endpoint and its variants."""

    code: Code
    label: Words
    basis: Words | None = None
    population: Names = ()
    origin: Name
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1)]
    censor: SomeNames
    truncate_day: Day | None = None
    report_day: Day | None = None
    redate_to_origin: Names = ()
    censor_at: tuple[CensorAt, ...] = ()
    entry: Name | None = None
    suggested: bool = False
    variant: tuple[Variant, ...] = ()

    @model_validator(mode="after")
    def _sound(self) -> Self:
        codes = [variant.code for variant in self.variant]
        if repeated := sorted({code for code in codes if codes.count(code) > 1}):
            msg = f"Variant {', '.join(repeated)} is there twice: give each its own code"
            raise ValueError(msg)
        return self

    def resolved(self) -> Iterator[tuple[str, Words, Self]]:
        """(variant code, its words, the endpoint as that variant defines it), the primary definition first."""
        yield PRIMARY, self.label, self.model_copy(update={"variant": ()})
        for variant in self.variant:
            given: dict[str, Any] = {key: value for key in _REPLACEABLE if (value := getattr(variant, key)) is not None}
            given |= {key: type(self).model_fields[key].default for key in variant.without}
            yield variant.code, variant.label, self.model_copy(update={"variant": (), **given})


_REPLACEABLE: tuple[str, ...] = (
    *("basis", "population", "origin", "outcomes", "censor", "truncate_day", "report_day"),
    *("redate_to_origin", "censor_at", "entry"),
)


class Rate(Strict):
    """A proportion: how many of `population` had one of `responder` (by `by_day` from `origin` when given)."""

    code: Code
    label: Words
    basis: Words | None = None
    population: SomeNames
    responder: SomeNames
    by_day: Day | None = None
    origin: Name | None = None
    suggested: bool = False

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.by_day is not None and self.origin is None:
            raise ValueError("`by_day` counts from somewhere: name the `origin` milestone")
        return self
