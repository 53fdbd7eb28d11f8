"""A study gets its next version: looked at first, then every page of a site or none, and back again exactly."""

from typing import Any

import pytest

from app.capture.amend.migrate import TRANSITIONS, Action
from app.models.amendment import MigrationState
from tests.capture.amending import APPROVED, LABS, SOUND, WHY, answers, casebook, planned, run, site_version
from tests.trial import Trial

# ---------------------------------------------------------------- the dry run


def test_a_dry_run_names_what_would_change_and_stores_nothing(two: Trial) -> None:
    before = casebook(two.nurse, "A")
    seen = two.builder.post("/migrations/preview", {"plan": SOUND, "site": "HZ01"})
    assert seen.status_code == 200, seen.text
    assert seen.json()["counts"] == {
        "subjects": 2, "pages": 7, "orphans": 3, "reopened": 0, "queries": 0, "verified": 0, "signatures": 0,
        "left": 0, "unresolved": 0,
    }  # fmt: skip
    [first, _] = seen.json()["subjects"]
    labs = next(page for page in first["pages"] if (page["visit"], page["form"]) == ("SCR", "labs"))
    assert labs == {
        "visit": "SCR", "form": "labs", "from_version": 1, "to_version": 2, "reopened": False, "queries": 0,
        "verified": 0, "signatures": [], "problems": [], "items": ["anc", "dose", "plt", "transfused", "transfusion"],
        "orphans": [{"item": "dose", "row": 1}],
    }  # fmt: skip
    assert "1.20" not in seen.text
    assert casebook(two.nurse, "A") == before
    assert two.builder.get("/migrations").json() == {"items": []}
    every = two.manager.post("/migrations/preview", {"plan": SOUND}).json()
    assert {each["site"] for each in every["subjects"]} == {"HZ01", "HZ02"}


def test_what_would_follow_is_told(two: Trial) -> None:
    """Without the codes the relapse would be lost: the plan has to say so, and here it retires the answer."""
    text = SOUND.replace('codes = { RELAPSE = "REL", NR = "SD" }', 'unfit = "retire"')
    seen = two.builder.post("/migrations/preview", {"plan": text, "site": "HZ01"}).json()
    first = seen["subjects"][0]
    assert {"what": "CIR", "name": "PRIMARY"} in first["follows"]
    [unscheduled] = [page for page in first["pages"] if (page["visit"], page["form"]) == ("UNS", "response")]
    assert unscheduled["reopened"] is True
    assert unscheduled["orphans"] == [{"item": "response", "row": None}]


def test_a_plan_that_does_not_fit_is_refused_with_its_lines(two: Trial) -> None:
    seen = two.builder.post(
        "/migrations/preview", {"plan": SOUND.replace('convert = "1000"', "keep = true\nretire = true")}
    )
    assert seen.status_code == 422
    assert [(each["pointer"], each["code"]) for each in seen.json()["errors"]] == [("/plan", "plan")]
    assert "Line " in seen.json()["errors"][0]["message"]


# ---------------------------------------------------------------- running it


def test_a_run_brings_every_page_and_the_site_to_the_new_version(two: Trial) -> None:
    old = casebook(two.nurse, "A")
    key = run(two)
    assert (site_version(two), site_version(two, "HZ02")) == (2, 1)
    new = casebook(two.nurse, "A")
    assert new["SCR labs"]["answers"] == {
        "sample_date": "2024-01-09", "hb": {"value": "9.7", "unit": "g/dL"}, "anc": "1200.00", "transfusion": "Y",
        "units_given": 2, "plt": {"missing": "not_available"},
        "drugs": [{"row": 1, "drug": "X"}, {"row": 2, "drug": "Y"}],
    }  # fmt: skip
    assert (new["SCR labs"]["form_version"], new["SCR labs"]["revision"], new["SCR labs"]["status"]) == (
        2,
        2,
        "complete",
    )
    assert "plt" not in new["UNS.2 labs"]["answers"]
    assert new["LOG ae"]["answers"]["signs"] == ["F", "RASH"]
    assert new["SCR arm"] == old["SCR arm"]
    assert casebook(two.nurse2, "C")["SCR labs"]["form_version"] == 1
    assert casebook(two.nurse, "B")["LOG ae"]["form_version"] == 1, "a void page is left alone"
    shown = two.manager.get(f"/migrations/{key}").json()["migration"]
    assert shown["counts"] == {
        "subjects": 2,
        "pages": 7,
        "orphans": 3,
        "reopened": 0,
        "queries": 0,
        "verified": 0,
        "signatures": 0,
        "left": 0,
        "unresolved": 0,
    }
    assert (shown["planned_by"], shown["run_by"]) == ("Builder of the cast", "Manager of the cast")
    two.verified()


def test_endpoints_read_the_renamed_codes_as_they_read_the_old_ones(two: Trial) -> None:
    before = two.nurse.endpoint("A", "CIR")
    run(two)
    after = two.nurse.endpoint("A", "CIR")
    assert {key: after[key] for key in ("status", "days", "cnsr")} == {
        key: before[key] for key in ("status", "days", "cnsr")
    }
    derived = two.manager.post("/derive").json()
    assert derived["deviations"] == []


def test_history_keeps_every_revision_under_its_own_version(two: Trial) -> None:
    run(two)
    told = two.nurse.get("/subjects/A/visits/SCR/forms/labs/history").json()["revisions"]
    assert [(each["form_version"], each["action"]) for each in told] == [(1, "record.save"), (2, "record.migrate")]
    assert (told[1]["by"], told[1]["reason"]) == ("Manager of the cast", "TRIAL v1-v2: Amendment 1 approved")
    changed = {(each["item"], each["row"]): (each["before"], each["after"]) for each in told[1]["items"]}
    assert changed["dose", 1] == ("5", None)
    assert changed["transfused", None] == ("Y", None)
    assert changed["anc", None] == ("1.20", "1200.00")


def test_the_trail_names_the_plan(two: Trial) -> None:
    key = run(two)
    digest = two.manager.get(f"/migrations/{key}").json()["migration"]["plan_digest"]
    trail = two.manager.get("/audit", params={"limit": 200}).json()["items"]
    acts = [each for each in trail if each["action"] in {"record.migrate", "migration.plan", "migration.run"}]
    assert len(acts) == 9
    assert {each["detail"]["plan"] for each in acts} == {digest}
    activated = next(each for each in trail if each["action"] == "site.activate")
    assert activated["detail"] == {"from": 1, "to": 2, "approved_on": "2024-03-01"}


def test_a_plan_that_leaves_something_open_changes_nothing(two: Trial) -> None:
    """An absolute neutrophil count that the new limit does not take."""
    two.nurse.enter("B", "SCR", "labs", {"sample_date": "2024-01-09", "hb": "97", "anc": "999999999999999"})
    key = planned(two)
    seen = two.manager.get(f"/migrations/{key}").json()["report"]
    assert seen["counts"]["unresolved"] == 1
    [problem] = [each for subject in seen["subjects"] for page in subject["pages"] for each in page["problems"]]
    assert (problem["item"], problem["code"]) == ("anc", "too_many_digits")
    before = casebook(two.nurse, "A")
    refused = two.manager.post(f"/migrations/{key}/run", WHY)
    assert (refused.status_code, refused.json()["code"], refused.json()["unresolved"]) == (409, "unresolved", 1)
    assert casebook(two.nurse, "A") == before
    assert site_version(two) == 1
    assert two.manager.get(f"/migrations/{key}").json()["migration"]["state"] == "planned"
    two.verified()


def test_a_page_saved_after_the_dry_run_is_migrated_too(two: Trial) -> None:
    key = planned(two)
    two.nurse.enter("B", "SCR", "labs", {"sample_date": "2024-01-09", "hb": "97", "anc": "3"})
    assert two.manager.post(f"/migrations/{key}/run", WHY).json()["counts"]["pages"] == 8
    assert casebook(two.nurse, "B")["SCR labs"]["answers"]["anc"] == "3000"


def test_whoever_read_a_page_before_has_to_read_it_again(two: Trial) -> None:
    run(two)
    assert two.nurse.save("A", "SCR", "labs", LABS, revision=1).status_code == 412
    now = casebook(two.nurse, "A")["SCR labs"]["answers"] | {"plt": 150}
    assert two.nurse.save("A", "SCR", "labs", now, revision=2, reason="Found in the source").status_code == 200


def test_what_is_locked_stays_as_it_is(two: Trial) -> None:
    """A frozen item that does not change is no hindrance; one that does, is, and so is a page or the site."""
    page = {"subject": "A", "visit": "SCR", "form": "labs"}
    key = planned(two)
    for scope, count in ((page | {"item": "hb"}, 0), (page | {"item": "anc"}, 1), (page, 1), ({"subject": "A"}, 6)):
        assert two.manager.post("/locks", scope | {"action": "freeze"} | WHY).status_code in {200, 201}, scope
        assert two.manager.get(f"/migrations/{key}").json()["report"]["counts"]["unresolved"] == count, scope
    refused = two.manager.post(f"/migrations/{key}/run", WHY)
    assert (refused.status_code, refused.json()["code"]) == (409, "unresolved")
    two.verified()


def test_an_open_query_is_counted_and_goes_on(two: Trial) -> None:
    asked = two.monitor.post(
        "/queries", {"subject": "A", "visit": "SCR", "form": "labs", "item": "transfused", "text": "Sure?"}
    )
    assert asked.status_code == 201, asked.text
    key = run(two)
    assert two.manager.get(f"/migrations/{key}").json()["migration"]["counts"]["queries"] == 1
    [query] = casebook(two.nurse, "A")["SCR labs"]["queries"]
    assert query["item"] == "transfused"
    assert two.manager.post(f"/migrations/{key}/roll-back", WHY).status_code == 200
    two.verified()


def test_not_before_the_site_has_approved(two: Trial) -> None:
    key = planned(two, approved_on="2999-01-01")
    assert two.manager.post(f"/migrations/{key}/run", WHY).status_code == 409
    body = {"version": 2, "approved_on": "2999-01-01"} | WHY
    assert two.builder.call("PUT", "/sites/HZ01/version", json=body).status_code == 409
    assert site_version(two) == 1


def test_one_migration_waits_at_a_site_and_a_new_plan_takes_its_place(two: Trial) -> None:
    key = planned(two)
    assert planned(two) == key
    other = SOUND.replace('missing = "not_available"', 'missing = "not_done"')
    assert planned(two, text=other) == key
    assert two.builder.get(f"/migrations/{key}").json()["plan"]["form"][1]["fill"] == [
        {"item": "plt", "missing": "not_done"}
    ]
    assert planned(two, "HZ02") != key
    assert len(two.builder.get("/migrations").json()["items"]) == 2


# ---------------------------------------------------------------- and back


def test_a_rollback_gives_back_exactly_what_was_there(two: Trial) -> None:
    before = {name: answers(casebook(two.nurse, name)) for name in ("A", "B")}
    endpoints = two.nurse.get("/subjects/A/endpoints").json()["endpoints"]
    key = run(two)
    seen = two.manager.get(f"/migrations/{key}").json()["report"]
    assert (seen["counts"]["pages"], seen["counts"]["unresolved"]) == (7, 0)
    done = two.manager.post(f"/migrations/{key}/roll-back", {"reason": "Approval withdrawn"})
    assert done.status_code == 200, done.text
    assert done.json()["state"] == "rolled_back"
    assert {name: answers(casebook(two.nurse, name)) for name in ("A", "B")} == before
    assert casebook(two.nurse, "A")["SCR labs"]["revision"] == 3
    assert site_version(two) == 1
    after = two.nurse.get("/subjects/A/endpoints").json()["endpoints"]
    assert {code: each["PRIMARY"]["days"] for code, each in after.items()} == {
        code: each["PRIMARY"]["days"] for code, each in endpoints.items()
    }
    told = two.nurse.get("/subjects/A/visits/SCR/forms/labs/history").json()["revisions"]
    assert [(each["form_version"], each["action"]) for each in told][2] == (1, "record.roll_back")
    assert two.manager.post("/derive").json()["deviations"] == []
    two.verified()


def test_what_people_entered_since_goes_back_by_the_same_way(two: Trial) -> None:
    key = run(two)
    now = casebook(two.nurse, "A")["SCR labs"]["answers"]
    two.nurse.enter("A", "SCR", "labs", now | {"anc": "1500", "transfusion": "N"}, revision=2, reason="Transcription")
    two.nurse.enter(
        "B", "D30", "labs", {"sample_date": "2024-02-01", "hb": "97", "anc": "2000", "plt": {"missing": "not_done"}}
    )
    refused = two.manager.post(f"/migrations/{key}/roll-back", WHY)
    assert (refused.status_code, refused.json()["unresolved"]) == (409, 1)
    problems = [
        (subject["subject"], problem["item"], problem["code"])
        for subject in two.manager.get(f"/migrations/{key}").json()["report"]["subjects"]
        for page in subject["pages"] for problem in page["problems"]
    ]  # fmt: skip
    assert problems == [("B", "plt", "lost")]
    two.nurse.post("/subjects/B/visits/D30/forms/labs/void", WHY, headers={"If-Match": '"1"'})
    assert two.manager.post(f"/migrations/{key}/roll-back", WHY).status_code == 200
    labs = casebook(two.nurse, "A")["SCR labs"]
    assert labs["answers"] == LABS | {
        "anc": "1.5", "transfused": "N", "drugs": [{"row": 1, "drug": "X", "dose": "5"}, {"row": 2, "drug": "Y"}],
    }  # fmt: skip
    two.verified()


def test_a_page_that_the_version_before_has_no_visit_for_keeps_a_rollback_from_happening(two: Trial) -> None:
    key = run(two)
    two.nurse.enter("A", "D60", "labs", {"sample_date": "2024-03-05", "hb": "97", "plt": {"missing": "not_done"}})
    before = answers(casebook(two.nurse, "A"))
    refused = two.manager.post(f"/migrations/{key}/roll-back", WHY)
    assert refused.status_code == 409
    assert answers(casebook(two.nurse, "A")) == before
    assert site_version(two) == 2


def test_after_a_rollback_the_plan_can_be_run_again(two: Trial) -> None:
    first = run(two)
    once = answers(casebook(two.nurse, "A"))
    assert two.manager.post(f"/migrations/{first}/roll-back", WHY).status_code == 200
    second_run = run(two)
    assert second_run != first
    assert answers(casebook(two.nurse, "A")) == once
    assert two.manager.post(f"/migrations/{second_run}/roll-back", WHY).status_code == 200
    two.verified()


# ---------------------------------------------------------------- who may, and when

STATES = [(state, action) for state in MigrationState for action in Action]


@pytest.mark.parametrize(("state", "action"), STATES, ids=str)
def test_a_migration_comes_from_state_to_state_as_the_table_says(two: Trial, state: Any, action: Any) -> None:
    key = planned(two) if state is MigrationState.PLANNED else run(two)
    if state is MigrationState.ROLLED_BACK:
        assert two.manager.post(f"/migrations/{key}/roll-back", WHY).status_code == 200
    answer = two.manager.post(f"/migrations/{key}/{action.value.replace('_', '-')}", WHY)
    allowed = TRANSITIONS.get((state, action))
    assert answer.status_code == (409 if allowed is None else 200)
    assert two.manager.get(f"/migrations/{key}").json()["migration"]["state"] == (allowed or state)


def test_only_builders_and_data_managers_plan_and_only_data_managers_run(two: Trial) -> None:
    body = {"plan": SOUND} | APPROVED
    for who, person in two.cast.items():
        status = {"builder": 201, "manager": 201, "manager2": 201, "stranger": 404, "nurse2": 404}.get(who, 403)
        assert person.post("/sites/HZ01/migrations", body).status_code == status, who
        preview = {"builder": 200, "manager": 200, "manager2": 200, "stranger": 404}.get(who, 403)
        assert person.post("/migrations/preview", {"plan": SOUND}).status_code == preview, who
    key = planned(two)
    for who, person in two.cast.items():
        reads = {"builder": 200, "manager": 200, "manager2": 200, "inspector": 200, "stranger": 404, "nurse2": 404}.get(
            who, 403
        )
        assert person.get(f"/migrations/{key}").status_code == reads, who
        if who not in {"manager", "manager2", "builder", "inspector"}:
            assert person.post(f"/migrations/{key}/run", WHY).status_code == reads, who
    assert two.builder.post(f"/migrations/{key}/run", WHY).status_code == 403
    assert two.nurse.get("/migrations").status_code == 403
    assert two.stranger.get("/migrations").status_code == 404
    assert two.manager.post(f"/migrations/{key}/run", WHY).status_code == 200


def test_what_is_not_there_is_not_found(two: Trial) -> None:
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert two.builder.post("/sites/HZ09/migrations", {"plan": SOUND} | APPROVED).status_code == 404
    assert two.manager.get(f"/migrations/{nowhere}").status_code == 404
    assert two.manager.post(f"/migrations/{nowhere}/run", WHY).status_code == 404
    run(two)
    assert two.builder.post("/sites/HZ01/migrations", {"plan": SOUND} | APPROVED).status_code == 409
