"""What was entered is in the casebook and nowhere else: in no log of any level, no refusal and no error."""

import logging
from collections.abc import Iterator
from typing import Any

import httpx2
import psycopg
import pytest

from app.core.logs import JsonLines
from app.core.provision import libpq
from tests.servers import Database as Owned
from tests.trial import API, Trial

CANARIES = ("CANARY 7f3a", "87.654321", "1987-06-05", "1987-06", "金丝雀")
TEXT, NUMBER, DAY, MONTH, CHINESE = CANARIES


class Lines(logging.Handler):
    """Every record of every logger, as the application writes it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonLines())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record).encode().decode("unicode_escape", "replace"))


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """All loggers at DEBUG, the database's and the web framework's own too."""
    handler, root = Lines(), logging.getLogger()
    named = [
        logging.getLogger(name) for name in ("", "marrow", "sqlalchemy", "sqlalchemy.engine", "psycopg", "uvicorn")
    ]
    levels = [each.level for each in named]
    for each in named:
        each.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler.lines
    root.removeHandler(handler)
    for each, level in zip(named, levels, strict=True):
        each.setLevel(level)


def holds(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def story(trial: Trial) -> list[httpx2.Response]:
    """Values entered, corrected, struck, imported, exported and refused in every way; every answer."""
    nurse = trial.nurse
    subject = nurse.subject()
    page = f"/subjects/{subject}/visits/SCR/forms/labs"
    labs = {"sample_date": DAY, "hb": NUMBER, "drugs": [{"drug": TEXT}, {"drug": CHINESE}]}
    kept = [
        nurse.save(subject, "SCR", "consent", {"consent_date": DAY, "enrol_date": DAY, "note": TEXT + CHINESE}),
        nurse.save(subject, "SCR", "labs", labs),
        nurse.save(subject, "SCR", "labs", labs | {"hb": "12"}, revision=1, reason=TEXT),
        nurse.save(subject, "LOG", "death", {"death_date": MONTH, "cause": CHINESE}),
        nurse.save(subject, "LOG", "ae", {"term": TEXT, "start": MONTH}),
        nurse.get(f"/subjects/{subject}/casebook"),
        nurse.get(f"/subjects/{subject}/endpoints"),
        nurse.get(page + "/history"),
        nurse.get("/export"),
    ]
    refused = [
        nurse.save(subject, "SCR", "labs", labs),
        nurse.save(subject, "SCR", "labs", labs, revision=7),
        nurse.save(subject, "SCR", "labs", labs, headers={}),
        nurse.save(subject, "SCR", "labs", labs, revision=2),
        nurse.save(subject, "UNS", "labs", {"sample_date": TEXT, "hb": CHINESE, "transfused": TEXT, "anc": TEXT}),
        nurse.save(subject, "UNS", "labs", {"sample_date": DAY, "hb": {"value": NUMBER, "unit": TEXT}}),
        nurse.save(subject, "UNS", "labs", {"sample_date": DAY, "hb": {"missing": TEXT}}),
        nurse.save(subject, "UNS", "labs", {"sample_date": DAY, "hb": "9" + NUMBER, "units_given": NUMBER}),
        nurse.save(subject, "UNS", "labs", {"sample_date": DAY, "hb": "1", "drugs": [TEXT]}),
        nurse.save(subject, "UNS", "labs", {"sample_date": DAY}),
        nurse.save(subject, "SCR", "arm", {"rand_date": DAY, "arm_code": TEXT}),
        nurse.save(subject, "LOG", "ae.2", {"term": TEXT + "\x01", "signs": [TEXT]}),
        nurse.save(subject, "LOG", "ae.2", {"term": TEXT * 2000}),
        nurse.save(subject, "LOG", "ae.2", TEXT),
        nurse.save(subject, "LOG", "ae.2", {"term": "x"}, complete=TEXT),
        nurse.save(subject, "LOG", "ae.2", {"term": "x"}, mrn=TEXT),
        nurse.call("PUT", page, content=b'{"answers": {"note": "' + TEXT.encode(), headers={"If-Match": '"2"'}),
        nurse.get(f"/subjects/{TEXT}/casebook"),
        nurse.get("/subjects", params={"status": TEXT, "sort": TEXT}),
        nurse.get("/subjects", params={TEXT: CHINESE}),
        nurse.get(f"/subjects/{subject}/casebook", params={"as_of": TEXT}),
        nurse.get("/subjects", params={"cursor": TEXT}),
        nurse.post("/subjects", {"site": TEXT}),
        nurse.post("/subjects", {"site": "HZ01", "number": TEXT}),
        trial.nurse2.save(subject, "SCR", "labs", labs, revision=2),
        trial.stranger.save(subject, "SCR", "labs", labs, revision=2),
        trial.monitor.save(subject, "UNS", "labs", labs),
        trial.sponsor.get(f"/subjects/{subject}/casebook"),
        trial.client.get(API + "/subjects", headers={"Authorization": TEXT}),
        nurse.post(page + "/void", {"reason": TEXT}, headers={"If-Match": '"9"'}),
        nurse.call("POST", "/imports/labs?visit=UNS", content=sheet(subject), headers={"Content-Type": "text/csv"}),
        nurse.call(
            "POST",
            "/imports/labs?visit=UNS",
            content=b"\n".join(sheet(subject).split(b"\n")[1:]),
            headers={"Content-Type": "text/csv"},
        ),
    ]
    struck = nurse.post(page + "/void", {"reason": TEXT}, headers={"If-Match": '"2"'})
    assert [answer.status_code for answer in (*kept, struck)] == [201, 201, 200, 201, 201, 200, 200, 200, 200, 200]
    wrong = [
        (number, answer.status_code) for number, answer in enumerate(refused) if not 400 <= answer.status_code < 500
    ]
    assert wrong == []
    return refused


def sheet(subject: str) -> bytes:
    return f"subject,sample_date,hb,transfused\n{subject},{DAY},{TEXT},{CHINESE}\n{TEXT},{MONTH},{NUMBER},Y\n".encode()


def test_no_refusal_repeats_what_was_entered(trial: Trial) -> None:
    for answer in story(trial):
        assert holds(answer.text) == [], answer.text
        assert holds(str(answer.headers)) == []


def test_no_log_line_of_any_level_holds_what_was_entered(trial: Trial, logged: list[str]) -> None:
    story(trial)
    assert len(logged) > 40
    assert [line for line in logged if holds(line)] == []


def test_a_root_logger_turned_up_shows_none_of_it_either(trial: Trial, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever formatter somebody puts there: no library is heard that repeats values. The client's own is not ours."""
    caplog.set_level(logging.DEBUG)
    story(trial)
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert len(ours) > 40
    assert [record.name for record in ours if holds(f"{record.getMessage()} {vars(record)}")] == []


BREAKS = {
    "a constraint that names the row": "ALTER TABLE revision ADD CONSTRAINT never CHECK (number < 0) NOT VALID",
    "an exception that quotes it": """
        CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'cannot store %', NEW.answers; END $$;
        CREATE TRIGGER loud BEFORE INSERT ON revision FOR EACH ROW EXECUTE FUNCTION loud()""",
    "a column that is gone": "ALTER TABLE revision RENAME COLUMN answers TO others",
    "a table that is gone": "ALTER TABLE record RENAME TO others",
}


@pytest.mark.parametrize("broken", BREAKS)
def test_an_error_of_the_database_is_told_without_what_was_entered(
    trial: Trial, database: Owned, logged: list[str], broken: str
) -> None:
    subject = trial.nurse.subject()
    with psycopg.connect(libpq(database.admin_url)) as connection:
        connection.execute(BREAKS[broken].encode())
    page: dict[str, Any] = {"sample_date": DAY, "hb": NUMBER, "drugs": [{"drug": TEXT}, {"drug": CHINESE}]}
    answer = trial.nurse.save(subject, "SCR", "labs", page)
    assert answer.status_code in {409, 500}
    assert answer.headers["content-type"] == "application/problem+json"
    assert holds(answer.text) == []
    assert [line for line in logged if holds(line)] == []
    assert any(answer.json()["request_id"] in line for line in logged)
