"""What opens and what closes, from what stands and what is observed; through HTTP in test_findings.py."""

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from app.audit import change
from app.core.transaction import see_all
from app.forms.findings import fingerprint
from app.quality.findings import Observation, differing, reconcile
from app.quality.read import open_findings
from tests.quality.asking import listed
from tests.trial import SYSTEM, Trial

PAGE = UUID(int=1)
OBSERVATIONS = st.lists(
    st.builds(
        Observation, st.sampled_from([PAGE, None]), st.sampled_from("ab"), st.sampled_from([1, None]),
        st.sampled_from(["soft_min", "soft_max"]), st.just({}), st.sampled_from(["query", "note"]),
        st.sampled_from(["", "1", "2"]),
    ),
    max_size=6,
)  # fmt: skip


def row(of: Observation) -> dict[str, Any]:
    return of._asdict()


def once(observed: list[Observation]) -> dict[Any, Observation]:
    return {each[:4]: each for each in observed}


@given(OBSERVATIONS, OBSERVATIONS)
def test_what_stands_afterwards_is_what_is_observed_once_per_rule_and_item(
    before: list[Observation], now: list[Observation]
) -> None:
    standing = [row(each) for each in once(before).values()]
    new, gone = differing(standing, now)
    after = [each for each in standing if each not in gone] + [row(each) for each in new]
    assert sorted(after, key=str) == sorted(map(row, once(now).values()), key=str)


@given(OBSERVATIONS)
def test_the_same_again_opens_and_closes_nothing(observed: list[Observation]) -> None:
    assert differing([row(each) for each in once(observed).values()], observed) == ([], [])


def test_a_row_from_before_is_a_query_over_values_that_nobody_noted() -> None:
    old = row(Observation(PAGE, "hb", None, "soft_min", {})) | {"severity": None, "fingerprint": None}
    assert differing([old], [Observation(PAGE, "hb", None, "soft_min", {})]) == ([], [])
    assert differing([old], [Observation(PAGE, "hb", None, "soft_min", {}, "note")])[1] == [old]


def test_a_fingerprint_tells_values_apart_and_holds_none_of_them() -> None:
    assert fingerprint("21", None) == fingerprint("21", None)
    assert len({fingerprint("21"), fingerprint("21", None), fingerprint(21), fingerprint("22"), fingerprint()}) == 5
    assert "97.5" not in fingerprint("97.5")


LOW = Observation(None, "OS", None, "endpoint-undated", {}, fingerprint="1")


def follow(trial: Trial, subject: str, *observed: Observation) -> list[tuple[Any, Any]]:
    """The findings that are open when these have been observed: key and fingerprint."""
    with trial.database.writing() as session:
        see_all(session)
        with change(session, "TRIAL", by=SYSTEM, action="derive") as made:
            reconcile(made, subject, open_findings(session, "TRIAL", subject), observed)
        return [(each["finding_id"], each["fingerprint"]) for each in open_findings(session, "TRIAL", subject)]


def test_the_same_rule_over_another_value_is_another_finding(trial: Trial) -> None:
    subject = trial.nurse.subject()
    (first,) = follow(trial, subject, LOW)
    assert follow(trial, subject, LOW) == [first]
    (second,) = follow(trial, subject, LOW._replace(fingerprint="2"))
    assert (second[0] != first[0], second[1]) == (True, "2")
    assert follow(trial, subject) == []
    trial.verified()


def test_a_note_asks_nobody_until_it_becomes_a_question(trial: Trial) -> None:
    subject = trial.nurse.subject()
    note = LOW._replace(severity="note")
    assert len(follow(trial, subject, note)) == 1
    assert listed(trial.manager) == []
    follow(trial, subject, LOW)
    (query,) = listed(trial.manager)
    assert query["state"] == "open"
    follow(trial, subject, note)
    assert listed(trial.manager)[0]["state"] == "closed"
    trial.verified()


def test_where_nothing_opens_or_closes_nothing_is_asked_of_the_database(trial: Trial) -> None:
    subject = trial.nurse.subject()
    follow(trial, subject, LOW)
    note = LOW._replace(item="EFS", severity="note")
    statements: list[str] = []
    with trial.database.writing() as session:
        see_all(session)
        with change(session, "TRIAL", by=SYSTEM, action="derive") as made:
            standing = open_findings(session, "TRIAL", subject)
            event.listen(trial.database.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
            reconcile(made, subject, standing, [LOW])
            assert statements == []
            reconcile(made, subject, standing, [LOW, note])
            assert statements == []
