"""How each computed value came about: its rule with version, flags and floor, the inputs, and the pages it rests on."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from app import models
from app.clinical.rules.registry import RULES
from app.exchange.archive import Member
from app.exchange.cells import ADDRESS, place_of, subject_of
from app.exchange.columns import Column
from app.exchange.tables import Scope
from app.forms.definition import Form
from app.models.capture import RecordStatus
from app.study.library import form_of

_BLOCK = 500
_COLUMNS = (
    *ADDRESS,
    Column("ROW", "Row of a repeating section", "integer"),
    Column("ITEM", "Computed item", "text"),
    Column("VALUE", "What it came out as; NE: not evaluable", "text"),
    Column("FLOOR", "Where it is NE: the least severe it could be", "text"),
    Column("FLAGS", "What has to be known beside it, separated by |", "text"),
    Column("RULE", "The rule, as docs/clinical and GET /api/v1/clinical name it", "text"),
    Column("RULE_VERSION", "Version of the rule", "text"),
    Column("RULE_SOURCE", "Where the rule was published", "text"),
    Column("RESULT", "Which result of the rule", "text"),
    Column("INPUTS", "Inputs that the rule used, name=value, separated by |", "text", text=True),
    Column("PAGES", "Pages of other facts, fact=visit/form#revision, separated by |", "text"),
    Column("REVISION", "Revision of the page it was computed from", "integer"),
    Column("FORM_VERSION", "Form version", "integer"),
)


def members(scope: Scope) -> Iterator[Member]:
    """The one table."""
    yield Member("computed.csv", _COLUMNS, lambda: _rows(scope))


def _rows(scope: Scope) -> Iterator[list[str]]:
    record, subject, computed = models.record, models.subject, models.computed
    each = computed.alias("each")
    newest = (
        select(each.c.number)
        .where(each.c.study_id == record.c.study_id, each.c.record_id == record.c.record_id)
        .order_by(each.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(
            subject.c.site_id,
            record.c.subject_id,
            record.c.visit,
            record.c.visit_repeat,
            record.c.form_id,
            record.c.repeat,
            computed.c.form_version,
            computed.c.revision,
            computed.c["values"],
            computed.c.working,
        )
        .join_from(
            record,
            computed,
            (computed.c.study_id == record.c.study_id)
            & (computed.c.record_id == record.c.record_id)
            & (computed.c.number == newest),
        )
        .where(record.c.status != RecordStatus.VOID.value, computed.c.working.is_not(None))
        .order_by(record.c.subject_id, record.c.visit, record.c.visit_repeat, record.c.form_id, record.c.repeat)
        .execution_options(yield_per=_BLOCK)
    )
    for row in scope.session.execute(scope.in_sight(statement, record)):
        site, number, *place, form_version, revision, values, working = row
        page = subject_of(scope.study_id, site, number) + place_of(place)
        form = form_of(scope.session, place[2], form_version)
        for told in _page(form, values, working):
            yield [*page, *told, str(revision), str(form_version)]


def _page(form: Form, values: Mapping[str, Any], working: Mapping[str, Any]) -> Iterator[list[str]]:
    """Each computed item that a rule decided, in the order of the page."""
    rows = {calculation.id: calculation.rows for calculation in form.calculations}
    for item in form.items:
        if item.calculation is None or item.calculation not in working:
            continue
        section, told = form.section_of(item.id), working[item.calculation]
        if not section.repeating:
            yield ["", item.id, *_working(item.output, values.get(item.id), told)]
            continue
        for row in values.get(section.id, ()):
            own = told.get(str(row["row"]), {}) if rows[item.calculation] else told
            if item.id in row and own:
                yield [str(row["row"]), item.id, *_working(item.output, row[item.id], own)]


def _working(output: str | None, value: Any, told: Mapping[str, Any]) -> list[str]:
    rule = RULES.get(told["rule"])
    return [
        "" if value is None else str(value),
        str(told.get("floor", "")),
        "|".join(told.get("flags", ())),
        told["rule"],
        told["version"],
        "; ".join(rule.sources) if rule is not None else "",
        output or (rule.results[0].name if rule is not None else ""),
        "|".join(f"{name}={given}" for name, given in told.get("inputs", {}).items()),
        "|".join(f"{name}={','.join(pages)}" for name, pages in told.get("facts", {}).items()),
    ]
