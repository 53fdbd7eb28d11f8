"""A data cut is an object: made once, and handed out again with the same bytes whatever happens to the data."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from typer.testing import CliRunner

from app import models
from app.audit import past
from app.audit.past import turn_back
from app.core.db import make_engine
from app.core.transaction import Database, see
from app.exchange.cuts.again import CutDiffersError, archive
from app.exchange.cuts.cut import find
from tests.exchange.unzipped import Unzipped
from tests.stories.amendment import amended
from tests.trial import SYSTEM, Trial, publish

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
LABS = {"sample_date": "2024-01-09", "hb": "97.5"}
DEATH = {"death_date": "2024-06-01"}


def cut(trial: Trial, name: str = "interim", who: str = "manager", **more: Any) -> dict[str, Any]:
    made = trial.cast[who].post("/cuts", {"name": name, "reason": "Interim analysis 1"} | more)
    assert made.status_code == 201, made.text
    return dict(made.json())


def again(trial: Trial, name: str = "interim", who: str = "manager") -> bytes:
    answer = trial.cast[who].get(f"/cuts/{name}/export")
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def story(trial: Trial) -> tuple[str, str]:
    """Two subjects at two sites with pages, a question, a void page."""
    one, two = trial.nurse.subject(), trial.nurse2.subject("HZ02")
    trial.nurse.enter(one, "SCR", "consent", CONSENT)
    trial.nurse.enter(one, "SCR", "labs", LABS | {"hb": "10", "drugs": [{"drug": "A"}]})
    trial.nurse.enter(one, "D30", "response", {"assess_date": "2024-02-09", "response": "CR"})
    trial.nurse.enter(one, "UNS", "labs", LABS)
    void(trial, one, "UNS", "labs", 1)
    trial.nurse2.enter(two, "SCR", "consent", CONSENT)
    return one, two


def void(trial: Trial, subject: str, visit: str, form: str, revision: int) -> None:
    path = f"/subjects/{subject}/visits/{visit}/forms/{form}/void"
    struck = trial.nurse.post(path, {"reason": "Wrong subject"}, headers={"If-Match": f'"{revision}"'})
    assert struck.status_code == 200, struck.text


def change_everything(trial: Trial, one: str, two: str, folder: Path) -> None:
    """Correct, answer, bring back, void, transfer, enrol, amend, put in force, grant: all that can be written."""
    trial.nurse.enter(one, "SCR", "labs", LABS, revision=1, reason="Typing")
    trial.nurse.enter(one, "UNS", "labs", LABS, revision=2, reason="It was hers after all")
    trial.nurse.enter(one, "LOG", "death", DEATH)
    void(trial, one, "D30", "response", 1)
    moved = trial.manager.post(f"/subjects/{two}/transfer", {"site": "HZ01", "reason": "Moved house"})
    assert moved.status_code == 200, moved.text
    new = trial.nurse.subject()
    trial.nurse.enter(new, "SCR", "consent", CONSENT)
    publish(trial.database, amended(folder / "forms"))
    for site in ("HZ01", "HZ02"):
        body = {"version": 2, "approved_on": "2024-03-01", "reason": "Approved 2024-03-01"}
        assert trial.builder.call("PUT", f"/sites/{site}/version", json=body).status_code == 204
    trial.nurse.enter(new, "SCR", "labs", LABS | {"plt": 150})
    grant = {"username": "stranger", "role": "monitor", "reason": "Delegation log"}
    assert trial.administrator.post("/grants", grant).status_code == 201


def test_a_cut_says_who_when_why_where_and_what_it_held(trial: Trial) -> None:
    story(trial)
    fresh = trial.manager.get("/export", params={"cutoff": "2024-12-31"}).content
    made = cut(trial, cutoff="2024-12-31")
    manifest = Unzipped.of(fresh).manifest
    assert (made["by"], made["reason"], made["cutoff"], made["sites"]) == (
        "Manager of the cast", "Interim analysis 1", "2024-12-31", None,
    )  # fmt: skip
    assert {"seq": made["seq"], "hash": made["hash"]} == manifest["chain"]
    assert made["files"] == manifest["files"]
    assert (made["bytes"], made["sha256"]) == (len(fresh), digest(fresh))
    assert made["versions"] == {"HZ01": 1, "HZ02": 1}
    assert trial.statistician.get("/cuts/interim").json() == made
    assert trial.sponsor.get("/cuts").json() == {"items": [made], "next_cursor": None}
    last = trial.manager.get("/audit", params={"action": "cut.create"}).json()["items"][-1]
    assert (last["seq"], last["reason"]) == (made["seq"] + 1, "Interim analysis 1")
    assert last["detail"] == {"cut": "interim", "position": made["seq"]}
    trial.verified()


def test_a_cut_is_the_same_bytes_after_everything_has_changed(trial: Trial, tmp_path: Path) -> None:
    one, two = story(trial)
    fresh = trial.manager.get("/export", params={"cutoff": "2024-12-31"}).content
    made = cut(trial, cutoff="2024-12-31")
    assert again(trial) == fresh
    change_everything(trial, one, two, tmp_path)
    assert again(trial) == fresh
    assert digest(again(trial, who="statistician")) == made["sha256"]
    now = Unzipped.of(trial.manager.get("/export", params={"cutoff": "2024-12-31"}).content)
    then = Unzipped.of(fresh)
    changed = {name for name in now.files if now.files[name] != then.files.get(name)}
    assert {"subjects.csv", "visits.csv", "records.csv", "findings.csv", "audit.csv", "audit_items.csv"} <= changed
    assert {"endpoints.csv", "codebook.csv", "forms/labs.csv", "forms/response.csv"} <= changed


ACTS: dict[str, Callable[[Trial, dict[str, int], int], object]] = {
    "page": lambda trial, pages, n: _save(trial, pages, f"UNS.{n}", LABS | {"hb": str(90 + n)}),
    "odd": lambda trial, pages, n: _save(trial, pages, f"UNS.{n}", LABS | {"hb": "10"}),
    "void": lambda trial, pages, n: _void(trial, pages, f"UNS.{n}"),
    "enrol": lambda trial, _pages, _n: trial.nurse.subject(),
    "move": lambda trial, _pages, n: trial.manager.post(
        "/subjects/S-1/transfer", {"site": f"HZ0{n}", "reason": "Moved"}
    ),
}


def _save(trial: Trial, pages: dict[str, int], visit: str, answers: Any) -> None:
    seen = pages.get(visit, 0)
    saved = trial.nurse.save("S-2", visit, "labs", answers, revision=seen, reason="Again")
    assert saved.status_code in {200, 201}, saved.text
    pages[visit] = saved.json()["revision"]


def _void(trial: Trial, pages: dict[str, int], visit: str) -> None:
    if pages.get(visit):
        path = f"/subjects/S-2/visits/{visit}/forms/labs/void"
        struck = trial.nurse.post(path, {"reason": "Not hers"}, headers={"If-Match": f'"{pages[visit]}"'})
        pages[visit] += struck.status_code == 200


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(1, 2)), min_size=1, max_size=6))
def test_every_state_that_was_exported_is_exported_again_whatever_came_after(
    server: Any, tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    engine = make_engine(server.clone().app_url, pool_size=3)
    trial = Trial.open(engine, tmp_path_factory.mktemp("law"))
    for number in ("S-1", "S-2"):
        trial.nurse.subject(number=number)
    pages: dict[str, int] = {}
    kept: dict[str, bytes] = {}
    for at, (act, n) in enumerate(acts):
        ACTS[act](trial, pages, n)
        kept[f"c{at}"] = trial.manager.get("/export").content
        cut(trial, f"c{at}")
    assert {name: again(trial, name) for name in kept} == kept
    engine.dispose()


def test_a_cut_of_some_sites_holds_what_was_there_then(trial: Trial, tmp_path: Path) -> None:
    one, two = story(trial)
    made = cut(trial, sites=["HZ02"])
    assert (made["sites"], made["versions"]) == (["HZ02"], {"HZ02": 1})
    assert [row["SUBJID"] for row in Unzipped.of(again(trial)).rows("subjects.csv")] == [two]
    change_everything(trial, one, two, tmp_path)
    assert digest(again(trial)) == made["sha256"]
    wrong = trial.manager.post("/cuts", {"name": "x", "reason": "Interim", "sites": ["NB01"]})
    assert wrong.status_code == 404


def test_somebody_at_one_site_has_the_part_of_it(trial: Trial) -> None:
    one, _ = story(trial)
    fresh = trial.nurse.get("/export").content
    made = cut(trial)
    trial.nurse.enter(one, "LOG", "death", DEATH)
    assert again(trial, who="nurse") == fresh
    shown = trial.nurse.get("/cuts/interim").json()
    assert (shown["files"], shown["bytes"], shown["sites"]) == (None, None, ["HZ01"])
    assert shown["versions"] == {"HZ01": 1}
    assert shown["sha256"] == made["sha256"]


@pytest.mark.parametrize("who", ["nurse", "doctor", "monitor", "sponsor", "inspector", "builder"])
def test_others_make_no_cut(trial: Trial, who: str) -> None:
    assert trial.cast[who].post("/cuts", {"name": "mine", "reason": "Curious"}).status_code == 403


def test_a_cut_is_handed_out_to_those_who_may_export_and_that_is_recorded(trial: Trial) -> None:
    story(trial)
    cut(trial, cutoff="2024-12-31")
    assert trial.sponsor.get("/cuts/interim/export").status_code == 403
    assert trial.stranger.get("/cuts/interim/export").status_code == 404
    assert trial.stranger.get("/cuts").status_code == 404
    assert trial.builder.get("/cuts").status_code == 403
    assert trial.manager.get("/cuts/final/export").status_code == 404
    answer = trial.monitor.get("/cuts/interim/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="TRIAL-interim.zip"'
    told = trial.administrator.get("/api/v1/studies/-/audit", params={"action": "export"}).json()["items"]
    assert [(each["actor"], each["detail"]) for each in told] == [
        (
            "Monitor of the cast",
            {"study": "TRIAL", "cutoff": "2024-12-31", "flavour": "machine", "sites": ["HZ01"], "cut": "interim"},
        )
    ]


def test_a_name_is_given_once(trial: Trial) -> None:
    cut(trial)
    twice = trial.statistician.post("/cuts", {"name": "interim", "reason": "Again"})
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    for wrong in ("", "a/b", "-x", "x" * 65, "ü"):
        assert trial.manager.post("/cuts", {"name": wrong, "reason": "Again"}).status_code == 422, wrong
    assert trial.manager.post("/cuts", {"name": "next"}).status_code == 422


def test_cuts_are_listed_in_the_order_they_were_made(trial: Trial) -> None:
    for name in ("b", "a", "c"):
        cut(trial, name)
    page = trial.manager.get("/cuts", params={"limit": 2}).json()
    assert [each["name"] for each in page["items"]] == ["b", "a"]
    rest = trial.manager.get("/cuts", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert ([each["name"] for each in rest["items"]], rest["next_cursor"]) == (["c"], None)
    by_name = trial.manager.get("/cuts", params={"sort": "name"}).json()["items"]
    assert [each["name"] for each in by_name] == ["a", "b", "c"]


def test_no_wrong_byte_is_handed_out_under_the_name_of_a_cut(trial: Trial, database: Any) -> None:
    """Somebody with all rights has rewritten a page behind the trail's back: the archive is never finished."""
    story(trial)
    cut(trial)
    tamper = make_engine(database.admin_url, pool_size=1)
    with tamper.begin() as admin:
        admin.exec_driver_sql("SET LOCAL session_replication_role = replica")
        admin.execute(text("""UPDATE revision SET answers = answers || '{"hb": "98"}' WHERE answers ? 'hb'"""))
    tamper.dispose()
    with trial.database.reading() as session:
        see(session, "TRIAL")
        found = find(session, SYSTEM, "TRIAL", "interim")
    sent: list[bytes] = []
    with pytest.raises(CutDiffersError):
        sent.extend(archive(trial.database, found, None))
    with pytest.raises(zipfile.BadZipFile):
        Unzipped.of(b"".join(sent))


# ---------------------------------------------------------------- looking back


def test_the_past_is_gone_with_the_transaction_and_statements_kept_ready_see_it_too(trial: Trial) -> None:
    """One connection, whose statements are prepared before: the past shows in them, and shows in none afterwards."""
    trial.nurse.subject(number="S-1")
    seq = trial.manager.get("/audit").json()["items"][-1]["seq"]
    trial.nurse.subject(number="S-2")
    engine = make_engine(str(trial.database.engine.url.render_as_string(hide_password=False)), pool_size=1)
    own = Database(engine, trial.database.anchors)
    numbers = select(models.subject.c.subject_id).order_by(models.subject.c.subject_id)
    for _ in range(2):
        for _ in range(7):
            with own.writing() as session:
                see(session, "TRIAL")
                assert session.execute(numbers).scalars().all() == ["S-1", "S-2"]
        with own.supposing() as session:
            turn_back(session, "TRIAL", seq)
            for _ in range(7):
                assert session.execute(numbers).scalars().all() == ["S-1"]
    engine.dispose()


def test_every_table_of_a_study_is_seen_as_it_stood(trial: Trial, tmp_path: Path) -> None:
    """Each row that there was, in every column, and no other: at the head of the chain that is what there is."""
    one, two = story(trial)
    cut(trial)
    change_everything(trial, one, two, tmp_path)
    seq = trial.manager.get("/audit", params={"limit": 200}).json()["items"][-1]["seq"]
    tables = [*past.OF_A_STUDY, models.chain]
    with trial.database.reading() as session:
        see(session, "TRIAL")
        now = {table.name: _rows(session, table) for table in tables}
    with trial.database.supposing() as session:
        turn_back(session, "TRIAL", seq)
        assert {table.name: _rows(session, table) for table in tables} == now
    with trial.database.supposing() as session:
        turn_back(session, "TRIAL", 1)
        first = {table.name: len(_rows(session, table)) for table in tables}
    assert {name for name, count in first.items() if count} == {
        "chain", "change", "study", "study_version", "study_form", "site",
    }  # fmt: skip


def _rows(session: Any, table: Any) -> list[Any]:
    return sorted((tuple(row) for row in session.execute(select(table))), key=str)


# ---------------------------------------------------------------- the command


def test_the_command_cuts_lists_writes_and_compares(
    trial: Trial, database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.cli import app  # noqa: PLC0415 - only here

    one, _ = story(trial)
    for name, value in {"DATABASE_URL": database.app_url, "ANCHORS": trial.database.anchors, "VAR": tmp_path}.items():
        monkeypatch.setenv(f"MARROW_{name}", str(value))

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["cut", *words])
        assert result.exit_code == 0, result.output
        return result.output

    assert run("list", "TRIAL") == "TRIAL has no cuts.\n"
    assert CliRunner().invoke(app, ["cut", "list", "TRAIL"]).exit_code == 1
    fresh = trial.manager.get("/export", params={"cutoff": "2024-12-31"}).content
    said = run("create", "TRIAL", "interim", "--cutoff", "2024-12-31", "--reason", "Interim analysis 1")
    assert digest(fresh) in said
    trial.nurse.enter(one, "LOG", "death", DEATH)
    out = tmp_path / "interim.zip"
    assert digest(fresh) in run("export", "TRIAL", "interim", "--out", str(out))
    assert out.read_bytes() == fresh
    run("create", "TRIAL", "final", "--reason", "Final analysis")
    assert [line.split()[0] for line in run("list", "TRIAL").splitlines()] == ["interim", "final"]
    assert run("compare", "TRIAL", "final", "final") == "0 differences.\n"
    told = run("compare", "TRIAL", "interim", "final")
    assert told.endswith(f"\n{told.count(chr(10)) - 1} differences.\n")
    assert f"{one} LOG death death_date: nothing -> 2024-06-01" in told
    assert f"{one} OS PRIMARY: 0 2024-02-09 -> 1 2024-06-01" in told
