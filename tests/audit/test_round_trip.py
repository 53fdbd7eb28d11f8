"""What was sealed on the way in is what is read on the way out, whatever text, number or moment it was."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import models
from app.audit import change
from app.audit.verify import verify
from app.core import canonical
from app.core.transaction import see
from tests.audit import world
from tests.audit.conftest import STUDY, Trial

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
moments = st.builds(
    lambda seconds, hours: (datetime(1, 1, 3, tzinfo=UTC) + seconds).astimezone(timezone(timedelta(hours=hours))),
    st.timedeltas(timedelta(0), timedelta(days=3_652_000)),
    st.sampled_from([0, 8]),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pages=st.lists(st.dictionaries(words, values, max_size=5), min_size=5, max_size=30),
    at=moments,
    text=words | st.none(),
)
def test_whatever_is_stored_verifies(
    standing: Trial, pages: list[dict[str, Any]], at: datetime, text: str | None
) -> None:
    with standing.database.writing() as session:
        see(session, models.SYSTEM, STUDY)
        record = session.execute(models.record.select()).mappings().first()
        assert record is not None
        last = len(session.execute(models.revision.select()).all())
        page = {"study_id": STUDY, "record_id": record["record_id"], "form_version": 1, "status": "complete", "at": at}
        with change(
            session, STUDY, by=world.SYSTEM_ACTS, action="record.save", reason=text, at=at, detail={"pages": pages}
        ) as made:
            rows = [
                page | {"number": 1000 + last + place, "answers": answers, "change_id": made.change_id}
                for place, answers in enumerate(pages)
            ]
            made.insert(models.revision, *rows)
    with standing.database.reading() as session:
        assert [str(fault) for fault in verify(session, standing.database.anchors)] == []


def test_one_way_to_write_each_type() -> None:
    east = timezone(timedelta(hours=8))
    row = {
        "z": UUID(int=1),
        "a": datetime(2026, 3, 1, 16, 30, tzinfo=east),
        "b": b"\x00\xff",
        "c": [None, True, 1, "é", {"y": 1, "x": (2,)}],
    }
    assert canonical.encode(row).decode() == (
        '{"a":"2026-03-01T08:30:00.000000Z","b":"00ff","c":[null,true,1,"é",{"x":[2],"y":1}],'
        '"z":"00000000-0000-0000-0000-000000000001"}'
    )


@pytest.mark.parametrize("value", [1.0, float("nan"), {1, 2}, object()])
def test_what_has_no_one_true_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical.encode({"a": [{"b": value}]})
