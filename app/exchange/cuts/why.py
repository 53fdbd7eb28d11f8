"""Why an endpoint came out differently: found by trying, with each thing that changed left out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.derivations.conclude import result_json
from app.derivations.derive import of_pages
from app.subjects.facts import Page, Place

OUTCOME = ("status", "why", "start", "adt", "days", "cnsr", "milestone", "flag", "start_flag", "entry")
"""What is compared of a result: what it says, and not the revisions it was read from."""


class Frame(StrEnum):
    """What results hang on beside the pages."""

    STUDY_VERSION = "study_version"
    REFERENCE_RANGES = "reference_ranges"
    CUT_OFF = "cut_off"


_OF_SUBJECT = {Frame.STUDY_VERSION: ("version",), Frame.REFERENCE_RANGES: ("site_id", "ranges")}
"""Where a subject says so."""

Cause = Frame | Place
Outcomes = Mapping[tuple[str, str], Mapping[str, Any]]
"""By endpoint and variant."""


@dataclass(frozen=True, slots=True)
class Stood:
    """All that the endpoints of a subject hang on, as it stood."""

    subject: Mapping[str, Any]
    pages: Mapping[Place, Page]
    cutoff: date | None

    def outcomes(self, session: Session) -> Outcomes:
        """What each endpoint variant comes to."""
        derived = of_pages(session, self.subject["study_id"], self.subject, self.pages, cutoff=self.cutoff)
        return {
            (each.spec.code, each.spec.variant): {k: v for k, v in result_json(each).items() if k in OUTCOME}
            for each in derived.conclusion.results
        }

    def said(self, frame: Frame) -> dict[str, Any]:
        """What the subject says of a part of the frame."""
        return {name: self.subject[name] for name in _OF_SUBJECT[frame]}

    def taking(self, cause: Cause, other: "Stood") -> "Stood":
        """The same, with this one thing as it stands on the other side."""
        if cause is Frame.CUT_OFF:
            return replace(self, cutoff=other.cutoff)
        if isinstance(cause, Frame):
            return replace(self, subject={**self.subject, **other.said(cause)})
        pages = {place: page for place, page in self.pages.items() if place != cause}
        return replace(self, pages=pages | {place: page for place, page in other.pages.items() if place == cause})


def changed(before: Stood, after: Stood) -> list[Cause]:
    """What is not the same on both sides: the frame, and each page that is of another revision."""
    found: list[Cause] = [frame for frame in _OF_SUBJECT if before.said(frame) != after.said(frame)]
    if before.cutoff != after.cutoff:
        found.append(Frame.CUT_OFF)
    one, other = ({place: page.revision for place, page in side.pages.items()} for side in (before, after))
    return [*found, *(place for place in sorted(one.keys() | other.keys()) if one.get(place) != other.get(place))]


class Difference(NamedTuple):
    """An endpoint variant that came out differently, and why; an outcome is None where it is not defined."""

    endpoint: str
    variant: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    causes: tuple[Cause, ...]


def differing(session: Session, before: Stood, after: Stood) -> Iterator[Difference]:
    """Every endpoint variant that came out differently.

    A thing is a cause if, but for it, the second side would have come out otherwise. Where several have the same
    effect, so that each could be missing, those that make a difference to the first side alone; failing that, all.
    """
    candidates = changed(before, after)
    if not candidates:
        return
    old, new = before.outcomes(session), after.outcomes(session)
    which = [each for each in sorted(old.keys() | new.keys()) if old.get(each) != new.get(each)]
    if not which:
        return
    but_for = [(cause, after.taking(cause, before).outcomes(session)) for cause in candidates]
    for each in which:
        causes = tuple(cause for cause, other in but_for if other.get(each) != new.get(each))
        if not causes:
            alone = ((cause, before.taking(cause, after).outcomes(session)) for cause in candidates)
            causes = tuple(cause for cause, other in alone if other.get(each) != old.get(each))
        yield Difference(*each, old.get(each), new.get(each), causes or tuple(candidates))
