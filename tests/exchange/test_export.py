"""A study as a zip: what is in it, for whom, and that it is the same twice."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from app.exchange.archive import Flavour, Member, stream
from app.exchange.columns import Column
from tests.exchange.unzipped import Unzipped, export
from tests.trial import API, Person, Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
LABS = {"sample_date": "2024-01-09", "hb": "97.5"}
FILES = [
    "forms/ae.csv",
    "forms/arm.csv",
    "forms/consent.csv",
    "forms/death.csv",
    "forms/labs.csv",
    "forms/labs__drugs.csv",
    "forms/response.csv",
    "computed.csv",
    "orphans.csv",
    "subjects.csv",
    "visits.csv",
    "records.csv",
    "findings.csv",
    "queries.csv",
    "query_messages.csv",
    "audit.csv",
    "audit_items.csv",
    "sdv.csv",
    "signatures.csv",
    "locks.csv",
    "endpoints.csv",
    "rates.csv",
    "codebook.csv",
    "manifest.json",
]


def test_an_archive_holds_every_table_and_says_what_it_is(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    answer = trial.nurse.get("/export", params={"cutoff": "2024-12-31"})
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="TRIAL-2024-12-31.zip"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    found = Unzipped.of(answer.content)
    assert list(found.files) == FILES
    assert (found.manifest["study"], found.manifest["cut_off"]) == ("TRIAL", "2024-12-31")
    assert found.manifest["sites"] == ["HZ01"]
    version = trial.nurse.get(API).json()["versions"][0]
    assert found.manifest["study_versions"] == [{"version": 1, "digest": version["digest"]}]


def test_the_manifest_counts_and_seals_each_file(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT | {"note": "two\nlines\r\nand more"})
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"drugs": [{"drug": "A"}, {"drug": "B"}]})
    found = export(trial.manager)
    told = {each["name"]: each for each in found.manifest["files"]}
    assert list(told) == FILES[:-1]
    for name, each in told.items():
        assert each["sha256"] == hashlib.sha256(found.files[name]).hexdigest()
        assert each["bytes"] == len(found.files[name])
        assert each["rows"] == len(found.rows(name)), name
    assert told["forms/labs__drugs.csv"]["rows"] == 2
    assert found.manifest["sites"] == "all"


def test_many_rows_are_counted_over_every_block() -> None:
    rows = [[str(number)] for number in range(4001)]
    seen: list[Any] = []

    def last(written: list[Any]) -> tuple[str, bytes]:
        seen.extend(written)
        return "manifest.json", b"{}"

    data = b"".join(stream([Member("t.csv", [Column("A", "a", "text")], lambda: rows)], last, Flavour.MACHINE))
    assert seen[0].rows == 4001
    assert len(Unzipped.of(data).rows("t.csv")) == 4001


def test_the_same_position_of_the_chain_gives_the_same_bytes(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "10"})
    first = trial.manager.get("/export").content
    trial.client.post("/api/v1/session", json={"username": "nurse", "password": "wrong wrong wrong"})
    trial.client.post("/api/v1/session", json={"username": "nurse", "password": "seven grey herons wade"})
    assert trial.sponsor.get("/export").status_code == 403
    assert trial.manager.get("/export").content == first
    assert trial.statistician.get("/export").content == first
    trial.nurse.enter(subject, "SCR", "labs", LABS, revision=1, reason="Typing")
    after = trial.manager.get("/export").content
    assert after != first
    before, now = Unzipped.of(first).manifest["chain"], Unzipped.of(after).manifest["chain"]
    assert now["seq"] == before["seq"] + 1
    assert now["hash"] != before["hash"]


def test_the_trail_in_the_archive_ends_at_the_head_of_the_manifest(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    trial.nurse.enter(subject, "SCR", "consent", CONSENT | {"note": "x"}, revision=1, reason="Forgotten")
    found = export(trial.manager)
    rows = found.rows("audit.csv")
    assert [int(row["SEQ"]) for row in rows] == list(range(1, len(rows) + 1))
    assert found.manifest["chain"] == {"seq": len(rows), "hash": rows[-1]["HASH"]}
    feed = trial.manager.get("/audit", params={"limit": 200}).json()["items"]
    assert [(str(each["seq"]), each["hash"], each["action"]) for each in feed] == [
        (row["SEQ"], row["HASH"], row["ACTION"]) for row in rows
    ]
    anchors = [json.loads(line) for line in trial.database.anchors.read_text().splitlines()]
    assert {each["seq"]: each["hash"] for each in anchors if each["study"] == "TRIAL"} == {
        int(row["SEQ"]): row["HASH"] for row in rows
    }
    last = rows[-1]
    assert (last["ACTOR"], last["REASON"], last["ZONE"], last["SITEID"]) == (
        "Nurse of the cast",
        "Forgotten",
        "Asia/Shanghai",
        "HZ01",
    )
    assert (last["VISIT"], last["FORM"], last["REVISION"], last["ITEMS"]) == ("SCR", "consent", "2", "note")
    assert last["TABLES"] == "derivation:1|record:1|revision:1"
    assert last["AT"].endswith("Z")


def test_void_pages_are_in_the_records_and_the_trail_alone(trial: Trial) -> None:
    subject = trial.nurse.subject()
    drugs = {"drugs": [{"drug": "CANARY-DRUG"}]}
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": "10"} | drugs)
    trial.nurse.enter(subject, "UNS", "labs", LABS)
    path = f"/subjects/{subject}/visits/SCR/forms/labs/void"
    struck = trial.nurse.post(path, {"reason": "Wrong subject"}, headers={"If-Match": '"1"'})
    assert struck.status_code == 200
    found = export(trial.nurse)
    assert [row["VISIT"] for row in found.rows("forms/labs.csv")] == ["UNS"]
    assert found.rows("forms/labs__drugs.csv") == []
    assert {row["VISIT"]: row["STATUS"] for row in found.rows("records.csv")} == {"SCR": "void", "UNS": "complete"}
    items = [row for row in found.rows("audit_items.csv") if row["VISIT"] == "SCR"]
    assert {(row["ITEM"], row["AFTER"]) for row in items} == {
        ("sample_date", "2024-01-09"),
        ("hb", "10"),
        ("drug", "CANARY-DRUG"),
    }
    assert [row["STATE"] for row in found.rows("findings.csv")] == ["closed"]
    assert "record.void" in {row["ACTION"] for row in found.rows("audit.csv")}


def test_every_step_of_an_item_is_in_the_archive(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "labs", LABS | {"hb": {"value": "9.7", "unit": "g/dL"}, "anc": "1.2"})
    page = {"sample_date": "2024-01-09", "hb": {"missing": "unknown"}}
    trial.nurse.enter(subject, "SCR", "labs", page, revision=1, reason="Other patient's")
    rows = export(trial.nurse).rows("audit_items.csv")
    trail = {row["REVISION"]: row["SEQ"] for row in export(trial.nurse).rows("audit.csv") if row["FORM"] == "labs"}
    assert [(row["REVISION"], row["ITEM"], row["BEFORE"], row["AFTER"]) for row in rows] == [
        ("1", "sample_date", "", "2024-01-09"),
        ("1", "hb", "", "9.7 g/dL"),
        ("1", "anc", "", "1.2"),
        ("2", "hb", "9.7 g/dL", "[unknown]"),
        ("2", "anc", "1.2", ""),
    ]
    assert all(row["SEQ"] == trail[row["REVISION"]] for row in rows)


def test_the_visits_say_what_is_due_and_how_far_it_is(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    trial.nurse.enter(subject, "SCR", "labs", {"sample_date": "2024-01-09"}, complete=False)
    trial.nurse.enter(subject, "UNS.2", "labs", LABS)
    rows = {(row["VISIT"], row["VISIT_REPEAT"]): row for row in export(trial.nurse).rows("visits.csv")}
    names = ("PLANNED", "TARGET", "OPENS", "CLOSES", "FORMS_DUE", "FORMS_COMPLETE", "FORMS_STARTED")
    assert [rows["SCR", "1"][name] for name in names] == ["Y", "", "", "", "3", "1", "1"]
    assert [rows["D30", "1"][name] for name in names] == ["Y", "2024-02-09", "2024-02-02", "2024-02-16", "2", "0", "0"]
    assert ("UNS", "2") in rows
    assert ("T90", "1") not in rows


CANARY = "CANARY-7F3A"


def fill(person: Person, site: str, mark: str) -> str:
    """A subject with everything that an export could show of it, each bearing the mark."""
    subject = person.subject(site, number=f"{mark}-001")
    person.enter(subject, "SCR", "consent", CONSENT | {"note": mark})
    person.enter(subject, "SCR", "labs", LABS | {"hb": "10", "drugs": [{"drug": mark}]})
    person.enter(subject, "SCR", "labs", LABS | {"hb": "11", "drugs": [{"drug": mark}]}, revision=1, reason=mark)
    person.enter(subject, "UNS", "response", {"assess_date": "2024-02-01", "response": "CR"})
    person.enter(subject, "LOG", "ae", {"term": mark, "start": "2024"})
    person.enter(subject, "LOG", "death", {"death_date": "2023", "cause": mark})
    return subject


def test_another_sites_subject_is_in_no_file(trial: Trial) -> None:
    mine = fill(trial.nurse, "HZ01", "MINE-HZ01")
    fill(trial.nurse2, "HZ02", CANARY)
    for subject in (mine, f"{CANARY}-001"):
        frozen = {"action": "freeze", "reason": "Clean", "subject": subject}
        assert trial.manager.post("/locks", frozen).status_code == 200
    whole, part = export(trial.manager), export(trial.nurse)
    for name, data in part.files.items():
        text = data.decode()
        assert CANARY not in text, name
        assert "HZ02" not in text, name
    for name in (
        "subjects.csv",
        "records.csv",
        "findings.csv",
        "audit.csv",
        "audit_items.csv",
        "endpoints.csv",
        "locks.csv",
    ):
        assert {row["SUBJID"] for row in part.rows(name)} - {""} == {mine}, name
        assert {row["SUBJID"] for row in whole.rows(name)} >= {mine, f"{CANARY}-001"}, name
    for name in set(FILES) - {
        "sdv.csv",
        "signatures.csv",
        "codebook.csv",
        "computed.csv",
        "manifest.json",
        "forms/arm.csv",
        "orphans.csv",
    }:
        assert CANARY in whole.files[name].decode(), name
    assert part.manifest["sites"] == ["HZ01"]


def test_a_subjects_whole_trail_goes_with_it_to_another_site(trial: Trial) -> None:
    subject = fill(trial.nurse, "HZ01", "MOVED")
    stays = trial.nurse.subject()
    moved = trial.manager.post(f"/subjects/{subject}/transfer", {"site": "HZ02", "reason": "Moved house"})
    assert moved.status_code == 200
    left, there = export(trial.nurse), export(trial.nurse2)
    for name, data in left.files.items():
        assert "MOVED" not in data.decode(), name
    assert {row["SUBJID"] for row in left.rows("audit.csv")} - {""} == {stays}
    actions = [row["ACTION"] for row in there.rows("audit.csv") if row["SUBJID"] == subject]
    assert actions == ["subject.create", *["record.save"] * 6, "subject.transfer"]
    assert {row["SITEID"] for row in there.rows("records.csv")} == {"HZ02"}


def test_who_may_export_and_who_may_not(trial: Trial) -> None:
    allowed = {"nurse", "doctor", "nurse2", "monitor", "manager", "statistician", "inspector"}
    forbidden = {"sponsor", "builder", "administrator"}
    for name in allowed:
        assert trial.cast[name].get("/export").status_code == 200, name
    for name in forbidden:
        assert trial.cast[name].get("/export").status_code == 403, name
    assert trial.stranger.get("/export").status_code == 404
    assert trial.client.get(API + "/export").status_code == 401
    assert trial.manager.get("/api/v1/studies/NONE/export").status_code == 404


def test_an_export_is_recorded_in_the_systems_chain_and_not_in_the_studys(trial: Trial) -> None:
    trial.nurse.subject()
    length = len(trial.manager.get("/audit").json()["items"])
    trial.nurse.get("/export", params={"cutoff": "2024-06-30", "flavour": "spreadsheet"})
    assert trial.sponsor.get("/export").status_code == 403
    assert len(trial.manager.get("/audit").json()["items"]) == length
    trail = trial.administrator.get("/api/v1/studies/-/audit", params={"limit": 200}).json()["items"]
    (taken,) = [entry for entry in trail if entry["action"] == "export"]
    assert taken["actor"] == "Nurse of the cast"
    assert taken["detail"] == {"study": "TRIAL", "cutoff": "2024-06-30", "flavour": "spreadsheet", "sites": ["HZ01"]}
    (denied,) = [entry for entry in trail if entry["action"] == "access.denied"]
    assert (denied["actor"], denied["detail"]["permission"]) == ("Sponsor of the cast", "export.clinical")
    trial.verified()


def leaving(trial: Trial, person: Person, after: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Ask for an export and hang up when `after` says so of a message; the messages until then."""
    seen: list[dict[str, Any]] = []
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not asked:
            asked.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        seen.append(dict(message))
        if after(seen[-1]):
            gone.set()
            raise OSError("The connection was closed")

    asked: list[bool] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": "GET",
        "path": API + "/export", "raw_path": (API + "/export").encode(), "query_string": b"", "root_path": "",
        "scheme": "http", "server": ("testserver", 80), "client": ("testclient", 50000),
        "headers": [(b"authorization", f"Bearer {person.token}".encode()), (b"host", b"testserver")],
    }  # fmt: skip

    async def ask() -> None:
        with suppress(Exception):  # whatever the server makes of a closed connection
            await trial.client.app(scope, receive, send)

    asyncio.run(ask())
    return seen


@pytest.mark.parametrize("when", ["http.response.start", "http.response.body"])
def test_whoever_leaves_in_the_middle_has_been_recorded_and_leaves_no_connection_behind(
    trial: Trial, when: str
) -> None:
    trial.nurse.subject()
    seen = leaving(trial, trial.nurse, lambda message: message["type"] == when)
    assert seen[0]["status"] == 200
    trail = trial.administrator.get("/api/v1/studies/-/audit", params={"action": "export"}).json()["items"]
    assert [entry["actor"] for entry in trail] == ["Nurse of the cast"]
    assert trial.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_cut_off_counts_for_endpoints_and_not_for_pages(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2024-06-15"})
    early, late = export(trial.nurse, cutoff="2024-03-31"), export(trial.nurse, cutoff="2024-06-15")
    assert early.files["forms/death.csv"] == late.files["forms/death.csv"]
    assert [row["STATUS"] for row in early.rows("endpoints.csv") if row["PARAMCD"] == "OS"] == ["0"]
    assert [row["STATUS"] for row in late.rows("endpoints.csv") if row["PARAMCD"] == "OS"] == ["1"]
    for wrong in ("2024-13-01", "86400", "2024", "2024-01-01T00:00:00"):
        assert trial.nurse.get("/export", params={"cutoff": wrong}).status_code == 422, wrong
    assert trial.nurse.get("/export", params={"flavour": "excel"}).status_code == 422
    assert trial.nurse.get("/export", params={"flavor": "machine"}).status_code in {400, 422}
