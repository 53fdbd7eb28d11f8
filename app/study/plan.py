"""A migration plan: what becomes of the answers that are there when a study gets its next version. A reviewed file.

The model knows shapes only. Whether the plan fits the two versions, and leaves nothing unanswered, is asked by
`app.study.plan_faults`; `app.study.migration` carries it out on one page.
"""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.forms.definition import CodeText, Id, MissingReason, Words
from app.study.definition import StudyId, Version, VisitCode
from app.study.part import Part, Whole

RETIRE = "retire"
Factor = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}(\.[0-9]{1,20})?$")]


class ItemStep(Part):
    """What becomes of the answers to one item; named as in the old version.

    `unfit` is for answers that the new version does not take: they are retired, or a reason stands in their place.
    What is retired stays readable in the history of its page, and is exported.
    """

    item: Id
    keep: bool = False
    rename: Id | None = None
    codes: dict[CodeText, CodeText] = Field(default_factory=dict)
    missing: dict[MissingReason, MissingReason] = Field(default_factory=dict)
    convert: Factor | None = None
    unfit: Literal["retire"] | MissingReason | None = None
    retire: bool = False


class RowsStep(Part):
    """What becomes of a section of rows that is no longer there."""

    rows: Id
    rename: Id | None = None
    retire: bool = False


class Fill(Part):
    """The reason that stands where the new version requires an answer nobody was asked for."""

    item: Id
    missing: MissingReason


class FormStep(Part):
    """The steps of one form. `retire`: the form goes; `keep`: pages stay that could no longer be begun."""

    form: Id
    keep: bool = False
    retire: bool = False
    items: tuple[ItemStep, ...] = Field(default=(), alias="item")
    rows: tuple[RowsStep, ...] = ()
    fills: tuple[Fill, ...] = Field(default=(), alias="fill")


class VisitStep(Part):
    """Pages stay where they are, at a visit that no longer has a place for them."""

    visit: VisitCode
    keep: Literal[True]


class Plan(Whole):
    """What leads from one version of a study to the next."""

    study: StudyId
    from_: Version = Field(alias="from")
    to: Version
    basis: Words
    forms: tuple[FormStep, ...] = Field(default=(), alias="form")
    visits: tuple[VisitStep, ...] = Field(default=(), alias="visit")

    @cached_property
    def name(self) -> str:
        """The plan as people name it: TRIAL v1-v2."""
        return f"{self.study} v{self.from_}-v{self.to}"

    @cached_property
    def _steps(self) -> dict[str, FormStep]:
        return {step.form: step for step in self.forms}

    def step(self, form: str) -> FormStep:
        """The steps of a form; empty ones where the plan has nothing to say of it."""
        return self._steps.get(form) or FormStep(form=form)
