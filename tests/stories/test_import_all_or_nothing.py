"""A CSV file goes in as a whole or not at all, once however often it is sent, and never over somebody's work."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import models
from app.capture import save as door
from app.core.transaction import see_all
from app.exchange import imports
from tests.servers import Database
from tests.stories.amendment import amended
from tests.trial import SYSTEM, Person, Trial, publish

ROOT = Path(__file__).parents[2]
LABS = "subject,visit,sample_date,hb,hb_unit,hb_missing,transfused\n"


def send(person: Person, form: str, text: str | bytes, *, key: str | None = None, **query: Any) -> Any:
    body = text.encode() if isinstance(text, str) else text
    headers = {"Content-Type": "text/csv"} | ({"Idempotency-Key": key} if key else {})
    return person.call("POST", f"/imports/{form}", content=body, headers=headers, params=query)


def pointers(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    assert "Nothing was stored" in answer.json()["detail"]
    return [each["pointer"] for each in answer.json()["errors"]]


def held(trial: Trial) -> tuple[int, ...]:
    """How much there is: subjects, pages, revisions, changes."""
    with trial.database.reading() as session:
        see_all(session)
        return tuple(
            session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (models.subject, models.record, models.revision, models.change)
        )


@pytest.fixture
def subjects(trial: Trial) -> list[str]:
    return [trial.nurse.subject() for _ in range(3)]


def three(subjects: list[str], *, bad: str = "81.5") -> str:
    values = ["97.5", bad, "83.25"]
    return LABS + "".join(f"{s},SCR,2024-01-09,{hb},,,\n" for s, hb in zip(subjects, values, strict=True))


def test_a_file_is_stored_as_if_it_had_been_typed(trial: Trial, subjects: list[str]) -> None:
    text = LABS + f"{subjects[0]},SCR,2024-01-09,9.75,g/dL,,Y\n{subjects[1]},UNS.2,2024-02-01,,,not_done,\n"
    report = send(trial.nurse, "labs", text)
    assert report.status_code == 201, report.text
    assert {k: v for k, v in report.json().items() if k != "import_id"} == {
        "lines": 2, "subjects": 0, "created": 2, "changed": 0, "unchanged": 0,
    }  # fmt: skip
    page = trial.nurse.get(f"/subjects/{subjects[0]}/visits/SCR/forms/labs").json()
    assert page["answers"] == {
        "sample_date": "2024-01-09", "hb": {"value": "9.75", "unit": "g/dL"}, "transfused": "Y",
    }  # fmt: skip
    assert page["computed"] == {"hb_double": "195.0"}
    other = trial.nurse.get(f"/subjects/{subjects[1]}/visits/UNS.2/forms/labs").json()
    assert other["answers"]["hb"] == {"missing": "not_done"}
    with trial.database.reading() as session:
        see_all(session)
        where = models.change.c.detail["import"].astext == report.json()["import_id"]
        lines = [row[0]["line"] for row in session.execute(select(models.change.c.detail).where(where))]
    assert sorted(lines) == [2, 3]
    trial.verified()


def test_one_bad_line_stores_nothing_and_is_named(trial: Trial, subjects: list[str]) -> None:
    before = held(trial)
    answer = send(trial.nurse, "labs", three(subjects, bad="912.5"))
    assert pointers(answer) == ["/lines/3/hb"]
    assert "912.5" not in answer.text
    assert held(trial) == before


def test_every_bad_line_is_named_at_once(trial: Trial, subjects: list[str]) -> None:
    before = held(trial)
    text = LABS + "\n".join(
        [
            f"{subjects[0]},SCR,2024-13-09,97.5,,,",
            f"{subjects[0]},NEVER,2024-01-09,97.5,,,",
            f"{subjects[1]},SCR,2024-01-09,x,,,",
            "NOBODY,SCR,2024-01-09,97.5,,,",
            f"{subjects[2]},SCR,2024-01-09,97.5,,forgotten,",
            f"{subjects[2]},SCR,2024-01-09,97.5,,,",
            ",SCR,2024-01-09,97.5,,,",
        ]
    )
    assert pointers(send(trial.nurse, "labs", text)) == [
        "/lines/2/sample_date", "/lines/3", "/lines/4/hb", "/lines/5", "/lines/6/hb", "/lines/7/hb", "/lines/8",
    ]  # fmt: skip
    assert held(trial)[:3] == before[:3]


def test_a_unit_that_nobody_knows_is_a_fault_also_without_a_value(trial: Trial, subjects: list[str]) -> None:
    one, two, three_ = subjects
    wrong = (
        LABS + f"{one},SCR,2024-01-09,,zzz,,\n{two},SCR,2024-01-09,,zzz,not_done,\n{three_},SCR,2024-01-09,9,zzz,,\n"
    )
    assert pointers(send(trial.nurse, "labs", wrong)) == [f"/lines/{line}/hb" for line in (2, 3, 4)]
    rows = "subject,visit,sample_date,hb,drug,dose_unit\n" + f"{one},SCR,2024-01-09,97,A,\n{one},SCR,2024-01-09,97,,g\n"
    assert pointers(send(trial.nurse, "labs", rows)) == ["/lines/2/drugs/2/dose"]
    assert held(trial)[1] == 0
    known = LABS + f"{one},SCR,2024-01-09,,g/dL,,Y\n{two},SCR,2024-01-09,,g/L,not_done,\n".replace(",,Y", ",not_done,Y")
    assert send(trial.nurse, "labs", known).status_code == 201
    page = trial.nurse.get(f"/subjects/{one}/visits/SCR/forms/labs").json()
    assert page["answers"]["hb"] == {"missing": "not_done"}


def test_the_same_file_again_has_no_effect(trial: Trial, subjects: list[str]) -> None:
    assert send(trial.nurse, "labs", three(subjects)).status_code == 201
    before = held(trial)
    again = send(trial.nurse, "labs", three(subjects)).json()
    assert (again["created"], again["changed"], again["unchanged"]) == (0, 0, 3)
    assert held(trial) == before


def test_a_correction_sent_again_has_no_effect_either(trial: Trial, subjects: list[str]) -> None:
    assert send(trial.nurse, "labs", three(subjects)).status_code == 201
    text = f"subject,visit,revision,reason,sample_date,hb\n{subjects[0]},SCR,1,misread,2024-01-09,79.5\n"
    assert send(trial.nurse, "labs", text).json()["changed"] == 1
    again = send(trial.nurse, "labs", text)
    assert (again.status_code, again.json()["unchanged"]) == (201, 1)


def test_a_retry_with_the_same_key_has_one_effect_and_one_answer(trial: Trial, subjects: list[str]) -> None:
    first = send(trial.nurse, "labs", three(subjects), key="import-1")
    before = held(trial)
    again = send(trial.nurse, "labs", three(subjects), key="import-1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert held(trial) == before
    other = send(trial.nurse, "labs", three(subjects, bad="82"), key="import-1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


def test_what_breaks_in_the_middle_leaves_nothing(
    trial: Trial, subjects: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before, calls = held(trial), []

    def breaking(*given: Any, **named: Any) -> door.Saved:
        calls.append(given)
        if len(calls) == 3:
            raise RuntimeError
        return door.save(*given, **named)

    monkeypatch.setattr(imports, "save", breaking)
    assert send(trial.nurse, "labs", three(subjects), key="broken").status_code == 500
    assert held(trial) == before
    monkeypatch.undo()
    assert send(trial.nurse, "labs", three(subjects), key="broken").json()["created"] == 3
    trial.verified()


def test_a_process_killed_in_the_middle_leaves_nothing(
    trial: Trial, database: Database, subjects: list[str], tmp_path: Path
) -> None:
    """The command stops after its second page, with both sent to the database, and is killed there."""
    before = held(trial)
    (tmp_path / "labs.csv").write_text(three(subjects))
    stopping = (
        "import time; from app.exchange import imports; from app.cli import app; whole = imports.save; n = []\n"
        "def save(*given, **named):\n"
        "    n.append(whole(*given, **named))\n"
        "    if len(n) == 2: print('half', flush=True); time.sleep(60)\n"
        "    return n[-1]\n"
        "imports.save = save; app()"
    )
    own = {name: value for name, value in os.environ.items() if not name.startswith("MARROW_")}
    own |= {"MARROW_DATABASE_URL": database.app_url, "MARROW_VAR": str(tmp_path)}
    command = [sys.executable, "-c", stopping, "import", "TRIAL", "labs", str(tmp_path / "labs.csv")]
    with subprocess.Popen(command, cwd=ROOT, env=own, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"half\n"
        child.kill()
    assert held(trial) == before
    assert send(trial.nurse, "labs", three(subjects)).json()["created"] == 3
    trial.verified()


def test_a_page_that_somebody_edited_meanwhile_is_not_overwritten(trial: Trial, subjects: list[str]) -> None:
    assert send(trial.nurse, "labs", three(subjects)).status_code == 201
    edited = {"sample_date": "2024-01-09", "hb": "60.5"}
    trial.doctor.enter(subjects[1], "SCR", "labs", edited, revision=1, reason="Checked against the source")
    head = "subject,visit,revision,sample_date,hb\n"
    text = head + "".join(f"{s},SCR,1,2024-01-09,70.5\n" for s in subjects[:2])
    before = held(trial)
    assert pointers(send(trial.nurse, "labs", text, reason="Recalculated")) == ["/lines/3"]
    assert pointers(send(trial.nurse, "labs", three(subjects))) == ["/lines/3"]
    assert held(trial) == before
    assert trial.nurse.get(f"/subjects/{subjects[1]}/visits/SCR/forms/labs").json()["answers"] == edited


def test_an_edit_during_the_import_waits_and_is_stale(
    trial: Trial, subjects: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(trial.nurse, "labs", three(subjects)).status_code == 201
    begun, answers = threading.Event(), []

    def slow(*given: Any, **named: Any) -> door.Saved:
        saved = door.save(*given, **named)
        begun.set()
        time.sleep(0.3)
        return saved

    def edit() -> None:
        begun.wait(10)
        change = {"sample_date": "2024-01-09", "hb": "60.5"}
        answers.append(trial.doctor.save(subjects[0], "SCR", "labs", change, revision=1, reason="Checked"))

    monkeypatch.setattr(imports, "save", slow)
    editing = threading.Thread(target=edit)
    editing.start()
    text = f"subject,visit,revision,sample_date,hb\n{subjects[0]},SCR,1,2024-01-09,70.5\n"
    assert send(trial.nurse, "labs", text, reason="Recalculated").json()["changed"] == 1
    editing.join()
    assert (answers[0].status_code, answers[0].headers["etag"]) == (412, '"2"')


def test_a_void_page_counts_again_by_a_line_that_names_its_revision(trial: Trial, subjects: list[str]) -> None:
    send(trial.nurse, "labs", three(subjects))
    page = f"/subjects/{subjects[0]}/visits/SCR/forms/labs"
    struck = trial.nurse.post(page + "/void", {"reason": "Other patient"}, headers={"If-Match": '"1"'})
    assert struck.status_code == 200
    assert pointers(send(trial.nurse, "labs", three(subjects))) == ["/lines/2"]
    line = LABS.replace("\n", ",revision,reason\n") + f"{subjects[0]},SCR,2024-01-09,97.5,,,,2,It was right\n"
    assert send(trial.nurse, "labs", line).json()["changed"] == 1
    assert trial.nurse.get(page).json()["status"] == "complete"


def test_a_change_needs_its_reason_from_the_line_or_for_the_file(trial: Trial, subjects: list[str]) -> None:
    assert send(trial.nurse, "labs", three(subjects)).status_code == 201
    head = "subject,visit,revision,reason,sample_date,hb\n"
    text = head + f"{subjects[0]},SCR,1,,2024-01-09,70.5\n{subjects[1]},SCR,1,Misread,2024-01-09,70.5\n"
    assert pointers(send(trial.nurse, "labs", text)) == ["/lines/2/reason"]
    assert send(trial.nurse, "labs", text, reason="Second reading").json()["changed"] == 2
    told = [
        trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs/history").json()["revisions"][-1]["reason"]
        for subject in subjects[:2]
    ]
    assert told == ["Second reading", "Misread"]


def test_lines_of_one_page_are_rows_of_its_section(trial: Trial, subjects: list[str]) -> None:
    head = "subject,visit,sample_date,hb,drug,dose\n"
    page = f"{subjects[0]},SCR,2024-01-09,97.5"
    text = f"{head}{page},cytarabine,100\n{page},daunorubicin,60.5\n"
    assert send(trial.nurse, "labs", text).json()["created"] == 1
    stored = trial.nurse.get(f"/subjects/{subjects[0]}/visits/SCR/forms/labs").json()["answers"]
    assert stored["drugs"] == [
        {"row": 1, "drug": "cytarabine", "dose": "100"},
        {"row": 2, "drug": "daunorubicin", "dose": "60.5"},
    ]
    assert send(trial.nurse, "labs", text).json()["unchanged"] == 1
    assert pointers(send(trial.nurse, "labs", f"{head}{page},a,1\n{page[:-1]}6,b,2\n")) == ["/lines/2", "/lines/3/hb"]
    for row in ("x", "0", "1"):
        numbered = f"subject,visit,sample_date,hb,row,drug\n{subjects[1]},SCR,2024-01-09,97.5,1,a\n"
        bad = numbered + f"{subjects[1]},SCR,2024-01-09,97.5,{row},b\n"
        assert pointers(send(trial.nurse, "labs", bad)) == ["/lines/3/row"]


def test_pages_that_repeat_are_numbered_and_choices_are_parted_by_a_bar(trial: Trial, subjects: list[str]) -> None:
    text = f"subject,repeat,term,start\n{subjects[0]},1,Fever,2024-02\n{subjects[0]},2,Rash,2024\n"
    assert send(trial.nurse, "ae", text, visit="LOG").json()["created"] == 2
    assert trial.nurse.get(f"/subjects/{subjects[0]}/visits/LOG/forms/ae.2").json()["answers"]["term"] == "Rash"
    twice = f"subject,repeat,term\n{subjects[1]},1,Fever\n{subjects[1]},1,Rash\n"
    assert pointers(send(trial.nurse, "ae", twice, visit="LOG")) == ["/lines/3"]
    assert pointers(send(trial.nurse, "ae", f"subject,repeat,term\n{subjects[1]},x,Fever\n", visit="LOG")) == [
        "/lines/2"
    ]


def test_subjects_may_come_with_the_file(trial: Trial) -> None:
    text = "subject,consent_date\nCRR-001,2024-01-05\nCRR-002,2024-02-30\n"
    before = held(trial)
    assert pointers(send(trial.nurse, "consent", text, visit="SCR", site="HZ01")) == ["/lines/3/consent_date"]
    assert held(trial) == before
    report = send(trial.nurse, "consent", text.replace("02-30", "02-28"), visit="SCR", site="HZ01").json()
    assert (report["subjects"], report["created"]) == (2, 2)
    assert pointers(send(trial.nurse, "consent", text.replace("CRR", "X/Y"), visit="SCR", site="HZ01")) == [
        "/lines/2", "/lines/3",
    ]  # fmt: skip


def test_nobody_imports_into_another_site(trial: Trial, subjects: list[str]) -> None:
    before = held(trial)[:3]
    assert pointers(send(trial.nurse2, "labs", three(subjects))) == ["/lines/2", "/lines/3", "/lines/4"]
    assert send(trial.monitor, "labs", three(subjects)).status_code == 403
    assert send(trial.stranger, "labs", three(subjects)).status_code == 404
    assert held(trial)[:3] == before
    with trial.database.reading() as session:
        assert denials(session) == 3  # one for each file, not one for each line


def denials(session: Session) -> int:
    see_all(session)
    asked = select(func.count()).where(models.change.c.action == "access.denied")
    return int(session.execute(asked).scalar_one())


def test_a_byte_order_mark_and_windows_lines_are_nothing(trial: Trial, subjects: list[str]) -> None:
    body = b"\xef\xbb\xbf" + three(subjects).replace("\n", "\r\n").encode()
    assert send(trial.nurse, "labs", body).json()["created"] == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("subject,visit,sample_date,haemoglobin\nS,SCR,2024-01-09,97\n", ["/header/haemoglobin"]),
        ("subject,visit,hb,hb\nS,SCR,1,2\n", ["/header"]),
        ("subject,visit,sample_date,hb\nS,SCR,2024-01-09,97,5\n", ["/lines/2"]),
        ("subject,visit,sample_date,hb\nS,SCR,2024-01-09\nS,SCR,2024-01-09,97\nS\n", ["/lines/2", "/lines/4"]),
        ("subject,visit,sample_date,complete\nS,SCR,2024-01-09,yes\n", ["/lines/2"]),
        ("subject,visit,sample_date,revision\nS,SCR,2024-01-09,x\n", ["/lines/2"]),
        ("subject,visit,sample_date,units_given\nS,SCR,2024-01-09,--5\n", ["/lines/2/units_given"]),
    ],
)
def test_what_is_no_sound_table_is_refused_by_place(
    trial: Trial, subjects: list[str], text: str, expected: list[str]
) -> None:
    before = held(trial)
    assert pointers(send(trial.nurse, "labs", text.replace("\nS,", f"\n{subjects[0]},"))) == expected
    assert held(trial) == before


def test_a_file_without_a_header_is_not_read_aloud(trial: Trial) -> None:
    answer = send(trial.nurse, "labs", "HZ01-001,SCR,2024-01-09,Wang Fang\n")
    assert pointers(answer)[-1] == "/header/subject"
    assert "Wang" not in answer.text


@pytest.mark.parametrize("body", [b"subject,hb\nS,\xff\n", b"subject,hb\nS,\0\n", b'subject,hb\nS,"x\n'])
def test_what_is_no_text_is_refused(trial: Trial, body: bytes) -> None:
    assert send(trial.nurse, "labs", body).status_code == 422


def test_the_command_goes_through_the_same_door(trial: Trial, subjects: list[str]) -> None:
    with trial.database.writing() as session:
        see_all(session)
        report = imports.import_csv(session, SYSTEM, "TRIAL", "labs", three(subjects).encode(), rename={}, ignore=())
    assert report.created == 3
    trial.verified()


def test_lines_of_one_page_agree_on_what_they_say_of_the_page(trial: Trial) -> None:
    subject = trial.nurse.subject()
    text = (
        "subject,visit,complete,reason,sample_date,hb,row,drug\n"
        f"{subject},SCR,Y,,2024-01-09,97,1,Blinatumomab\n"
        f"{subject},SCR,N,Second,2024-01-09,97,2,Inotuzumab\n"
    )
    assert pointers(send(trial.nurse, "labs", text)) == ["/lines/3/complete", "/lines/3/reason"]
    text = (
        "subject,visit,sample_date,hb,hb_unit,row,drug\n"
        f"{subject},SCR,2024-01-09,97,,1,Blinatumomab\n"
        f"{subject},SCR,2024-01-10,97,g/dL,2,Inotuzumab\n"
        f"{subject},SCR,,,,3,Venetoclax\n"
    )
    refused = send(trial.nurse, "labs", text)
    assert pointers(refused) == ["/lines/3/sample_date", "/lines/3/hb"]
    assert {each["remedy"] for each in refused.json()["errors"]} == {"Say it alike in every line of a page"}


def test_a_site_loads_the_form_it_works_with(trial: Trial, tmp_path: Path) -> None:
    """An item of version 2 is known where version 2 is in force, and only there."""
    here, there = trial.nurse.subject(), trial.nurse2.subject("HZ02")
    publish(trial.database, amended(tmp_path / "forms"))
    new = "subject,visit,sample_date,hb,plt\n{},SCR,2024-01-09,97,120\n"
    trial.builder.call(
        "PUT", "/sites/HZ02/version", json={"version": 2, "approved_on": "2024-03-01", "reason": "Approved"}
    )
    assert pointers(send(trial.nurse, "labs", new.format(here))) == ["/lines/2/plt"]
    assert send(trial.nurse2, "labs", new.format(there)).status_code == 201
