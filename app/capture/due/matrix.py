"""A site at a glance: its subjects beside the visits of the study, and where each visit stands."""

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.capture.due.cohort import Member, cohort
from app.capture.due.read import NOT_ASKED
from app.capture.visits import FORMER_VISIT, missed
from app.study.progress import Standing, VisitState
from app.subjects.address import written


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

    `visits` are those of the study versions in force, in the order of the newest, and those begun that none of them has
    any longer. Raises NotFound and Forbidden.
    """
    members, following = cohort(
        session, actor, study_id, site=site, on=on, cursor=cursor, limit=limit, scope=("matrix",)
    )
    reach = actor.reach(Permission.RECORD_READ, study_id)
    builds, items = {}, []
    for member in members:
        builds[member.build.study.version] = member.build
        items.append(_row(member, actor, reads=bool({None, member.subject["site_id"]} & reach)))
    shown = {
        visit.code: {"visit": visit.code, "label": visit.label.of(actor.language)}
        for _, build in sorted(builds.items(), reverse=True)
        for visit in build.study.visits
    }
    begun = {at.partition(".")[0] for row in items for at in row["cells"]}
    for code in sorted(begun - shown.keys()):
        shown[code] = {"visit": code, "label": FORMER_VISIT[actor.language].format(code)}
    return {
        "visits": list(shown.values()),
        "items": items,
        "next_cursor": following,
    }


def _row(member: Member, actor: Actor, *, reads: bool) -> dict[str, Any]:
    queries: Counter[tuple[str, int]] = Counter()
    for page in member.pages:
        if page.asked is not NOT_ASKED:
            queries[page.place[:2]] += page.asked.unresolved
    to_sign = Counter([page.place[:2] for page in member.pages if page.to_sign])
    cells = {}
    for state in member.states:
        standing = state.standing(member.on)
        if standing is not Standing.NOT_PLANNED:
            at = (state.visit, state.repeat)
            cell = _cell(state, standing, queries.get(at, 0), to_sign.get(at, 0))
            if reads and standing is Standing.MISSED:
                cell["missed"] = missed(member.build, state, actor.language)
            cells[written(state.visit, state.repeat)] = cell
    return {
        "subject": member.subject["subject_id"],
        "site": member.subject["site_id"],
        "status": member.subject["status"],
        "on": member.on,
        "queries": sum(asked.unresolved for asked in member.queries.values()),
        "to_sign": to_sign.total(),
        "cells": cells,
    }


def _cell(state: VisitState, standing: Standing, queries: int, unsigned: int) -> dict[str, Any]:
    planned = state.planned
    target, opens, closes = (planned.target, planned.opens, planned.closes) if planned else (None, None, None)
    return {
        "status": standing.value,
        "target": target,
        "opens": opens,
        "closes": closes,
        "owed": len(state.owed),
        "queries": queries,
        "to_sign": unsigned,
        "held_on": state.held.day,
        "days_out": state.days_out,
    }
