"""A site at a glance: its subjects beside the visits of the study, and where each visit stands."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.capture.due.cohort import Member, cohort
from app.capture.visits import missed
from app.study.progress import Standing, VisitState
from app.subjects.address import written
from app.subjects.facts import Place


def matrix(
    session: Session,
    actor: Actor,
    study_id: str,
    *,
    site: str | None = None,
    on: date | None = None,
    cursor: str | None = None,
    limit: int = 500,
) -> dict[str, Any]:
    """The subjects in sight, page by page, with a cell for each visit; a visit that is not planned has none.

    `visits` are those of the study versions in force, in the order of the newest. Raises NotFound and Forbidden.
    """
    members, following = cohort(session, actor, study_id, site=site, on=on, cursor=cursor, limit=limit)
    builds = {member.build.study.version: member.build for member in members}
    shown = {
        visit.code: {"visit": visit.code, "label": visit.label.of(actor.language)}
        for _, build in sorted(builds.items(), reverse=True)
        for visit in build.study.visits
    }
    reach = actor.reach(Permission.RECORD_READ, study_id)
    return {
        "visits": list(shown.values()),
        "items": [_row(member, actor, reads=bool({None, member.subject["site_id"]} & reach)) for member in members],
        "next_cursor": following,
    }


def _row(member: Member, actor: Actor, *, reads: bool) -> dict[str, Any]:
    asked = ((place, member.queries.get(record_id)) for place, (record_id, _) in member.pages.items())
    queries = _by_visit((place, each.unresolved) for place, each in asked if each)
    to_sign = member.to_sign
    unsigned = _by_visit((place, 1) for place, (record_id, _) in member.pages.items() if record_id in to_sign)
    cells = {}
    for state in member.states:
        standing = state.standing(member.on)
        if standing is not Standing.NOT_PLANNED:
            at = (state.visit, state.repeat)
            cell = _cell(state, standing, queries.get(at, 0), unsigned.get(at, 0))
            if reads and standing is Standing.MISSED:
                cell["missed"] = missed(member.build, state, actor.language)
            cells[written(state.visit, state.repeat)] = cell
    return {
        "subject": member.subject["subject_id"],
        "site": member.subject["site_id"],
        "status": member.subject["status"],
        "on": member.on,
        "queries": sum(asked.unresolved for asked in member.queries.values()),
        "to_sign": len(to_sign),
        "cells": cells,
    }


def _by_visit(counts: Iterable[tuple[Place, int]]) -> dict[tuple[str, int], int]:
    """Counts of pages, added up for each visit that has any."""
    found: dict[tuple[str, int], int] = {}
    for place, count in counts:
        at = (place.visit, place.visit_repeat)
        found[at] = found.get(at, 0) + count
    return found


def _cell(state: VisitState, standing: Standing, queries: int, unsigned: int) -> dict[str, Any]:
    planned = state.planned
    return {
        "status": standing.value,
        "target": planned.target if planned else None,
        "opens": planned.opens if planned else None,
        "closes": planned.closes if planned else None,
        "owed": len(state.owed),
        "queries": queries,
        "to_sign": unsigned,
        "held_on": state.held.day,
        "days_out": state.days_out,
    }
