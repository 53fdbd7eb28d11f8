"""What was derived of a subject before an act: what a save compares with, read in one statement where it can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, Select, Uuid, and_, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app import models
from app.core.prepared import Prepared
from app.derivations.readings import Reading
from app.derivations.working import worked
from app.models.capture import FindingState
from app.quality.signatures.standing import LastSigned, last_signed

Values = Mapping[str, Any]


class Made(NamedTuple):
    """The computed items of a page as they last came out: when, from which revision, by which working."""

    number: int
    values: Values
    working: Values | None
    beside: Values | None = None
    revision: int = 0
    at: datetime | None = None


NEVER = Made(0, {}, None)
_MADE = tuple(models.computed.c[name] for name in Made._fields)
_FINDING = tuple(str(column.name) for column in models.finding.columns)


@dataclass(frozen=True, slots=True)
class Before:
    """What was derived before: the newest derivation, the computed items of pages, the open findings."""

    number: int
    results: Values | None
    version: int | None
    """The study version that the newest derivation was made by."""
    computed: Mapping[UUID, Made]
    findings: Sequence[Mapping[str, Any]]
    signed: Mapping[UUID, LastSigned]

    def differs(self, each: Reading) -> bool:
        """Whether the computed items of a page come out otherwise now, or from other inputs."""
        made = self.computed.get(each.page.record_id, NEVER)
        return (dict(each.judged.computed), worked(each)) != (dict(made.values), made.working)


def read_before(session: Session, subject: Mapping[str, Any], records: Sequence[UUID]) -> Before:
    """What stood before for the subject and these records.

    One statement for one record, two for more, and one more where somebody has said something of the subject's pages.
    """
    study_id = subject["study_id"]
    asked = {"study": study_id, "subject": subject["subject_id"], "record": records[0] if records else None}
    rows = _STANDING.named(session, asked)
    first = rows[0]
    computed = {}
    if first["computed"] is not None:
        made = (first[name] for name in ("computed_number", "computed", "working", "beside", "revision", "computed_at"))
        computed[records[0]] = Made(*made)
    if len(records) > 1:
        table = models.computed
        more = session.execute(
            select(table.c.record_id, *_MADE)
            .where(table.c.study_id == study_id, table.c.record_id.in_(records[1:]))
            .ext(distinct_on(table.c.record_id))
            .order_by(table.c.record_id, table.c.number.desc())
        )
        computed |= {record_id: Made(*rest) for record_id, *rest in more}
    found = [{name: row[name] for name in _FINDING} for row in rows if row["finding_id"]]
    return Before(
        number=first["number"],
        results=first["results"],
        version=first["study_version"],
        computed=computed,
        findings=found,
        signed=last_signed(session, study_id, records) if records and subject.get("reviewed", True) else {},
    )


def _asking() -> Select[Any]:
    derivation, computed, finding = models.derivation, models.computed, models.finding
    study: BindParameter[str] = bindparam("study")
    subject: BindParameter[str] = bindparam("subject")
    record = bindparam("record", type_=Uuid)
    newest = (
        select(derivation.c.number, derivation.c.results, derivation.c.study_version)
        .where(derivation.c.study_id == study, derivation.c.subject_id == subject)
        .order_by(derivation.c.number.desc())
        .limit(1)
        .subquery("newest")
    )
    values = (
        select(*_MADE)
        .where(computed.c.study_id == study, computed.c.record_id == record)
        .order_by(computed.c.number.desc())
        .limit(1)
        .subquery("made")
    )
    standing = and_(
        finding.c.study_id == study,
        finding.c.subject_id == subject,
        finding.c.state == FindingState.OPEN.value,
    )
    one = select(literal_column("1").label("one")).subquery("one")
    return (
        select(
            func.coalesce(newest.c.number, 0).label("number"),
            newest.c.results,
            newest.c.study_version,
            func.coalesce(values.c.number, 0).label("computed_number"),
            values.c["values"].label("computed"),
            values.c.working,
            values.c.beside,
            values.c.revision,
            values.c.at.label("computed_at"),
            finding,
        )
        .select_from(one)
        .outerjoin(newest, literal_column("true"))
        .outerjoin(values, literal_column("true"))
        .outerjoin(finding, standing)
    )


_STANDING = Prepared(_asking())
