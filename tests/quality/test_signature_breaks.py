"""What breaks a signature, and the proof that one still is what was signed."""

from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from app.core.provision import libpq
from app.core.transaction import see_all
from app.models.signatures import Meaning
from app.quality.signatures.manifest import SAID, STATEMENTS, changed, digest_of
from app.quality.signatures.prove import proofs
from tests.exchange.unzipped import export
from tests.quality.signing import CONSENT, LABS, PAGE, ask, audit, correct, proof, screened, signed, state, whole
from tests.quality.under import planned
from tests.servers import Database as Owned
from tests.trial import Trial

# ---------------------------------------------------------------- what breaks it


def test_a_change_breaks_the_signatures_that_hold_it_names_it_and_leaves_the_others(trial: Trial) -> None:
    subject = whole(trial)
    labs, consent = signed(trial, subject, **PAGE), signed(trial, subject, visit="SCR", form="consent")
    visit, later, book = (
        signed(trial, subject, visit="SCR"),
        signed(trial, subject, visit="D30"),
        signed(trial, subject),
    )
    correct(trial, subject, drugs=[{"row": 1, "drug": "A", "dose": "2"}, {"row": 2, "drug": "B"}])
    states = {key: state(trial, key) for key in (labs, consent, visit, later, book)}
    assert states == {labs: "broken", consent: "standing", visit: "broken", later: "standing", book: "broken"}
    broken = trial.inspector.get(f"/signatures/{visit}").json()["broken"]
    assert (broken["visit"], broken["form"], broken["items"], broken["by"], broken["reason"]) == (
        "SCR", "labs", [{"item": "dose", "row": 1}], "Nurse of the cast", "Typing",
    )  # fmt: skip
    [entry] = [each for each in audit(trial, "record.save") if each["seq"] == broken["change"]]
    assert sorted(entry["detail"]["broken"]) == sorted([labs, visit, book])
    found = proof(trial, book)
    assert (found["intact"], found["holds"]) == (True, False)
    assert [(page["visit"], page["form"], page["changed"]) for page in found["pages"] if page["changed"]] == [
        ("SCR", "labs", [{"item": "dose", "row": 1, "label": "Dose"}])
    ]
    assert proof(trial, later)["holds"]
    trial.verified()


def test_an_answer_that_is_added_or_taken_away_breaks_it_too(trial: Trial) -> None:
    one, two = screened(trial), screened(trial)
    first, second = signed(trial, one, **PAGE), signed(trial, two, **PAGE)
    correct(trial, one, anc="2")
    trial.nurse.enter(two, "SCR", "labs", {**LABS, "drugs": LABS["drugs"][:1]}, revision=1, reason="Not given")  # type: ignore[index]
    assert [each["item"] for each in proof(trial, first)["pages"][0]["changed"]] == ["anc"]
    assert [each["item"] for each in proof(trial, second)["pages"][0]["changed"]] == ["drug"]
    assert {state(trial, first), state(trial, second)} == {"broken"}


def test_what_was_changed_back_is_signed_anew(trial: Trial) -> None:
    subject = screened(trial)
    key = signed(trial, subject, **PAGE)
    correct(trial, subject, hb="98")
    trial.nurse.enter(subject, "SCR", "labs", LABS, revision=2, reason="It was right")
    found = proof(trial, key)
    assert (found["state"], found["intact"], found["holds"], found["pages"][0]["changed"]) == (
        "broken", True, False, [],
    )  # fmt: skip
    anew = signed(trial, subject, **PAGE)
    assert anew != key
    assert proof(trial, anew)["holds"]
    trial.verified()


def test_a_struck_page_breaks_what_held_it_and_is_not_signed(trial: Trial) -> None:
    subject = screened(trial)
    key, other = signed(trial, subject, visit="SCR"), signed(trial, subject, visit="SCR", form="arm")
    path = f"/subjects/{subject}/visits/SCR/forms/labs"
    assert trial.nurse.post(path + "/void", {"reason": "Other patient"}, headers={"If-Match": '"1"'}).status_code == 200
    assert (state(trial, key), state(trial, other)) == ("broken", "standing")
    assert len(proof(trial, key)["pages"][-1]["changed"]) == 6
    refused = ask(trial, subject, **PAGE)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-ready")


def test_a_page_brought_back_is_another_one_to_sign(trial: Trial) -> None:
    subject = screened(trial)
    key = signed(trial, subject, **PAGE)
    path = f"/subjects/{subject}/visits/SCR/forms/labs"
    trial.nurse.post(path + "/void", {"reason": "Other patient"}, headers={"If-Match": '"1"'})
    trial.nurse.enter(subject, "SCR", "labs", LABS, revision=2, reason="It was this one")
    assert (state(trial, key), proof(trial, key)["pages"][0]["changed"]) == ("broken", [])
    assert signed(trial, subject, **PAGE) != key
    trial.verified()


def test_a_subject_that_goes_to_another_site_takes_its_signatures_along(trial: Trial) -> None:
    subject = screened(trial)
    key = signed(trial, subject, **PAGE)
    moved = trial.manager.post(f"/subjects/{subject}/transfer", {"site": "HZ02", "reason": "Moved house"})
    assert moved.status_code in {200, 204}, moved.text
    assert proof(trial, key)["holds"]
    assert trial.doctor.get(f"/signatures/{key}").status_code == 404
    assert trial.nurse2.get(f"/signatures/{key}").json()["site"] == "HZ02"


def test_a_save_that_changes_no_answer_breaks_nothing(trial: Trial) -> None:
    subject = screened(trial)
    key = signed(trial, subject, **PAGE)
    assert trial.nurse.save(subject, "SCR", "labs", LABS, revision=1).status_code == 200
    trial.nurse.enter(subject, "SCR", "labs", LABS, revision=1, complete=False, reason="Not finished")
    assert proof(trial, key)["holds"]


def test_what_is_computed_from_another_page_breaks_nothing(trial: Trial) -> None:
    subject = whole(trial)
    key = signed(trial, subject, visit="D30")
    trial.nurse.enter(subject, "SCR", "consent", CONSENT | {"enrol_date": "2024-01-11"}, revision=1, reason="Typing")
    assert proof(trial, key)["holds"]


# ---------------------------------------------------------------- proof


BEHIND = (
    """UPDATE revision SET answers = jsonb_set(answers, '{anc}', '"1"')
       WHERE record_id = (SELECT record_id FROM signed_page WHERE signature_id = %s)""",
    "UPDATE signed_page SET items = '[]' WHERE signature_id = %s",
    "UPDATE signature SET meaning = 'review' WHERE signature_id = %s",
    "UPDATE signature SET account_id = signature_id WHERE signature_id = %s",
    "UPDATE signature SET name = 'Somebody else' WHERE signature_id = %s",
    """UPDATE computed SET values = '{"hb_double": "1"}'
       WHERE record_id = (SELECT record_id FROM signed_page WHERE signature_id = %s)""",
)


@pytest.mark.parametrize("statement", BEHIND)
def test_verify_finds_what_was_changed_behind_the_applications_back(
    trial: Trial, database: Owned, statement: str
) -> None:
    key, other = signed(trial, screened(trial), **PAGE), signed(trial, screened(trial), **PAGE)
    with psycopg.connect(libpq(database.admin_url)) as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(statement.encode(), (key,)).rowcount == 1
    found = proof(trial, key)
    assert (found["intact"], found["holds"], found["state"]) == (False, False, "standing")
    assert proof(trial, other)["holds"]


def test_listing_the_casebook_takes_a_constant_number_of_statements(trial: Trial) -> None:
    subject = whole(trial)
    statements: list[str] = []
    event.listen(trial.database.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))

    def counted() -> int:
        statements.clear()
        assert trial.nurse.get(f"/subjects/{subject}/casebook").status_code == 200
        return len(statements)

    none = counted()
    signed(trial, subject, **PAGE)
    one = counted()
    signed(trial, subject)
    signed(trial, subject, visit="D30")
    assert (one, counted()) == (none + 2, none + 2)


def test_the_command_works_every_signature_out_again(trial: Trial, database: Owned) -> None:
    first, second = screened(trial), screened(trial)
    key = signed(trial, first, **PAGE)
    signed(trial, second, **PAGE)
    correct(trial, second, hb="98")
    with trial.database.reading() as session:
        see_all(session)
        assert [(each["intact"], each["holds"]) for each in proofs(session, "TRIAL")] == [(True, True), (True, False)]
    with psycopg.connect(libpq(database.admin_url)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM signature_break")
    with trial.database.reading() as session:
        see_all(session)
        assert [(each["state"], each["holds"]) for each in proofs(session, "TRIAL")] == [
            ("standing", True), ("standing", False),
        ]  # fmt: skip
        assert str(next(proofs(session, "TRIAL"))["signature"]) == key


def test_the_work_list_and_the_matrix_count_what_is_to_be_signed(trial: Trial, tmp_path: Path) -> None:
    subject = screened(trial)

    def to_sign() -> set[str]:
        told = trial.doctor.get("/worklist", params={"task": "to_sign"}).json()["items"]
        return {f"{task['visit']} {task['form']}" for each in told for task in each["tasks"]}

    def counted() -> tuple[int, int]:
        [row] = trial.doctor.get("/matrix", params={"site": "HZ01"}).json()["items"]
        return row["to_sign"], row["cells"]["SCR"]["to_sign"]

    assert (to_sign(), counted()) == ({"SCR consent", "SCR arm", "SCR labs"}, (3, 3))
    signed(trial, subject, **PAGE)
    assert (to_sign(), counted()) == ({"SCR consent", "SCR arm"}, (2, 2))
    signed(trial, subject, visit="SCR")
    assert (to_sign(), counted()) == (set(), (0, 0))
    correct(trial, subject, hb="98")
    assert to_sign() == {"SCR consent", "SCR arm", "SCR labs"}
    body = {"subject": subject, "visit": "SCR", "form": "labs", "item": "hb", "text": "Please check"}
    assert trial.monitor.post("/queries", body).status_code == 201
    assert (to_sign(), counted()) == ({"SCR consent", "SCR arm"}, (2, 2))
    planned(trial, tmp_path / "forms", '\n[signing]\nforms = ["labs", "arm"]\ndespite_queries = true\n')
    assert to_sign() == {"SCR arm", "SCR labs"}


def test_an_export_holds_the_signatures_page_by_page(trial: Trial) -> None:
    subject = screened(trial)
    signed(trial, subject, visit="SCR")
    correct(trial, subject, hb="98")
    signed(trial, subject, visit="SCR", form="arm", meaning="review")
    rows = export(trial.manager).rows("signatures.csv")
    assert [(row["FORM"], row["SCOPE"], row["MEANING"], row["STATE"], row["BROKEN_BY"]) for row in rows] == [
        ("arm", "visit", "approval", "broken", ""),
        ("arm", "page", "review", "standing", ""),
        ("consent", "visit", "approval", "broken", ""),
        ("labs", "visit", "approval", "broken", "hb"),
    ]
    assert {row["SIGNED_BY"] for row in rows} == {"Doctor of the cast"}
    assert export(trial.nurse2).rows("signatures.csv") == []


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)),
)
def test_exactly_the_items_that_differ_are_named(before: dict[str, int], after: dict[str, int]) -> None:
    rows = [{"items": [{"item": key, "row": None, "digest": str(value)} for key, value in each.items()]}
            for each in (before, after)]  # fmt: skip
    wanted = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    assert [item for item, _ in changed(rows[0], rows[1])] == wanted
    assert [item for item, _ in changed(rows[0], None)] == sorted(before)


@pytest.mark.parametrize("name", SAID)
def test_every_word_of_a_signature_is_in_its_digest(name: str) -> None:
    said = dict.fromkeys(SAID, "1")
    pages = [{"digest": "a"}, {"digest": "b"}]
    assert digest_of(said | {name: "2"}, pages) != digest_of(said, pages) == digest_of(said, pages[::-1])
    assert digest_of(said, pages[:1]) != digest_of(said, pages)


def test_each_meaning_has_its_words_in_both_languages() -> None:
    assert STATEMENTS.keys() == set(Meaning)
    assert all({*words} == {"en", "zh"} and all(words.values()) for words in STATEMENTS.values())
