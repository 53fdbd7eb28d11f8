"""Queries that people open, and what each side says and does in them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.access.actor import Actor, Grant
from app.core import clock
from app.core.errors import Forbidden, NotFound
from app.quality.queries.act import answerable
from tests.quality.asking import LABS, Page, acts, asks, does, listed, thread
from tests.trial import Trial


def refused(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def test_a_query_from_question_to_close(trial: Trial) -> None:
    page = Page(trial)
    page.enter("97.5")
    opened = asks(trial.monitor, page.subject, text="The source of 9 January says 79.5.\nWhich is right?")
    assert opened["state"] == "open"
    assert opened["possible"] == ["close", "cancel", "assign"]
    (at_site,) = listed(trial.nurse)
    assert at_site["message"] == "The source of 9 January says 79.5.\nWhich is right?"
    assert (at_site["rule"], at_site["remedy"], at_site["label"]) == (None, None, "Haemoglobin")
    query = at_site["query"]
    assert thread(trial.nurse, query)["possible"] == ["answer", "confirm"]
    assert [each["query"] for each in page.enter("79.5")["queries"]] == [query]
    assert page.trial.nurse.get(f"/subjects/{page.subject}/casebook").json()["pages"][0]["queries"][0]["query"] == query
    does(trial.nurse, "answer", query, "Digits swapped, corrected")
    does(trial.monitor, "reopen", query, "And the unit?")
    does(trial.doctor, "answer", query, "g/L")
    closed = does(trial.manager, "close", query, None)
    assert [(each["number"], each["action"], each["state"], each["by"], each["role"], each["text"])
            for each in closed["thread"]] == [
        (1, "open", "open", "Monitor of the cast", "monitor", "The source of 9 January says 79.5.\nWhich is right?"),
        (2, "answer", "answered", "Nurse of the cast", "coordinator", "Digits swapped, corrected"),
        (3, "reopen", "reopened", "Monitor of the cast", "monitor", "And the unit?"),
        (4, "answer", "answered", "Doctor of the cast", "investigator", "g/L"),
        (5, "close", "closed", "Manager of the cast", "data_manager", None),
    ]  # fmt: skip
    assert trial.nurse.get(f"/subjects/{page.subject}/casebook").json()["pages"][0]["queries"] == []
    assert page.enter("79.6")["queries"] == []
    trial.verified()


def test_an_empty_item_and_one_in_a_row_can_be_asked_about_and_nothing_that_is_not_there(trial: Trial) -> None:
    page = Page(trial)
    page.enter("97.5", drugs=[{"row": 3, "drug": "A"}])
    asks(trial.monitor, page.subject, item="anc")
    asks(trial.monitor, page.subject, item="anc", text="Another question on the same item")
    asks(trial.monitor, page.subject, item="hb_double")
    asks(trial.monitor, page.subject, item="dose", row=3)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"item": "mood"}, "/item"),
        ({"item": "drugs"}, "/item"),
        ({"item": "dose"}, "/row"),
        ({"item": "dose", "row": 1}, "/row"),
        ({"item": "hb", "row": 3}, "/row"),
    ]
    body: dict[str, Any] = {"subject": page.subject, "visit": "SCR", "form": "labs", "text": "Why?"}
    for more, pointer in wrong:
        told = refused(trial.monitor.post("/queries", body | more), 422)
        assert [fault["pointer"] for fault in told["errors"]] == [pointer]
    for more in ({"visit": "D30"}, {"form": "labs.2"}, {"subject": "HZ01-999"}, {"visit": "S C R"}):
        refused(trial.monitor.post("/queries", body | {"item": "hb"} | more), 404)
    page.void()
    refused(trial.monitor.post("/queries", body | {"item": "hb"}), 409)
    assert len(listed(trial.manager)) == 4


@pytest.mark.parametrize("text", ["", "   ", "\n", None, 7, "zero\u200bwidth", "turned\u202eround"])
def test_a_message_says_something_that_can_be_seen(trial: Trial, text: Any) -> None:
    page = Page(trial)
    page.enter("21")
    for path, who in (
        (f"/queries/{page.query()}/answer", trial.nurse),
        (f"/queries/{page.query()}/cancel", trial.monitor),
    ):
        refused(who.post(path, {"text": text}), 422)
    refused(trial.nurse.post(f"/queries/{page.query()}/confirm", {}), 422)
    assert acts(trial.manager, page.query()) == ["raise"]


def test_a_message_is_kept_whole_however_long(trial: Trial) -> None:
    page = Page(trial)
    page.enter("97.5")
    question = "Frage «?» 问题 'quoted', \"twice\"; <b>&amp;\n" * 10_000 + "end"
    query = asks(trial.monitor, page.subject, text=question)["query"]
    answer = "答" * 500_000
    does(trial.nurse, "answer", query, answer)
    assert [each["text"] for each in thread(trial.nurse, query)["thread"]] == [question, answer]
    (shown,) = listed(trial.nurse)
    assert shown["message"] == question[:500] + "…"
    trial.verified()


def test_an_act_that_comes_too_late_is_told_the_present_state(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    query = page.query()
    does(trial.nurse, "answer", query)
    does(trial.monitor, "close", query, None)
    told = refused(trial.nurse.post(f"/queries/{query}/answer", {"text": "Once more"}), 409)
    assert (told["code"], told["state"], told["messages"], told["possible"]) == ("conflict", "closed", 3, ["reopen"])
    assert refused(trial.monitor.post(f"/queries/{query}/cancel", {"text": "No"}), 409)["state"] == "closed"
    chinese = {"Accept-Language": "zh"}
    told = trial.nurse.post(f"/queries/{query}/answer", {"text": "Once more"}, headers=chinese).json()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in told["detail"])


def test_nobody_closes_an_answer_they_have_not_read(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    query = page.query()
    seen = thread(trial.monitor, query)["messages"]
    does(trial.nurse, "answer", query, "Corrected")
    told = refused(trial.monitor.post(f"/queries/{query}/close", {"seen": seen}), 409)
    assert (told["state"], told["messages"]) == ("answered", 2)
    assert does(trial.monitor, "close", query, None, seen=2)["state"] == "closed"


def test_of_two_who_close_at_once_one_is_told_that_it_is_closed(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    query = page.query()
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: trial.monitor.post(f"/queries/{query}/close", {}).status_code, range(4)))
    assert sorted(done) == [200, 409, 409, 409]
    assert acts(trial.manager, query) == ["raise", "close"]
    trial.verified()


def test_an_answer_and_a_correction_at_once_lose_nothing(trial: Trial) -> None:
    """Whoever is first: the answer stands, and the query is with the reviewer or was settled before."""
    for _ in range(5):
        page = Page(trial)
        page.enter("21")
        (query,) = (each["query"] for each in listed(trial.manager, subject=page.subject))
        with ThreadPoolExecutor(2) as pool:
            answer = pool.submit(trial.nurse.post, f"/queries/{query}/answer", {"text": "Corrected"})
            pool.submit(page.enter, "121").result()
        told = thread(trial.manager, query)
        if answer.result().status_code == 200:
            assert told["state"] == "answered"
        else:
            assert (answer.result().status_code, told["state"]) == (409, "closed")
    trial.verified()


def test_a_request_sent_again_speaks_once(trial: Trial) -> None:
    page = Page(trial)
    page.enter("97.5")
    body = {"subject": page.subject, "visit": "SCR", "form": "labs", "item": "hb", "text": "Please check"}
    first, again = (trial.monitor.post("/queries", body, headers={"Idempotency-Key": "ask"}) for _ in range(2))
    assert (first.status_code, first.content) == (201, again.content)
    assert first.headers["Location"] == f"/api/v1/studies/TRIAL/queries/{first.json()['query']}"
    path = f"/queries/{first.json()['query']}/answer"
    for _ in range(3):
        assert trial.nurse.post(path, {"text": "Yes"}, headers={"Idempotency-Key": "say"}).status_code == 200
    assert acts(trial.nurse, first.json()["query"]) == ["open", "answer"]
    refused(trial.nurse2.post(path, {"text": "Yes"}, headers={"Idempotency-Key": "say"}), 404)


def test_a_query_is_assigned_to_who_works_at_the_site(trial: Trial) -> None:
    page = Page(trial)
    page.enter("97.5")
    people = trial.monitor.get("/queries/people", params={"site": "HZ01"}).json()["items"]
    assert [(each["username"], each["roles"]) for each in people] == [
        ("doctor", ["investigator"]),
        ("manager", ["data_manager"]),
        ("manager2", ["data_manager"]),
        ("monitor", ["monitor"]),
        ("nurse", ["coordinator"]),
    ]
    query = asks(trial.monitor, page.subject, assignee="doctor")["query"]
    assert [each["query"] for each in listed(trial.doctor, assignee="me")] == [query]
    assert listed(trial.nurse, assignee="me") == []
    told = does(trial.manager, "assign", query, None, assignee="nurse")
    assert (told["assignee"], told["thread"][-1]["assignee"], told["state"]) == ("nurse", "nurse", "open")
    assert [each["query"] for each in listed(trial.manager, assignee="nurse")] == [query]
    for nobody in ("nurse2", "sponsor", "stranger", "noone"):
        told = refused(trial.monitor.post(f"/queries/{query}/assign", {"assignee": nobody}), 422)
        assert [fault["code"] for fault in told["errors"]] == ["not-assignable"]
    assert does(trial.manager, "assign", query, "Whoever is in", assignee=None)["assignee"] is None
    assert [each["query"] for each in listed(trial.manager, assignee="-")] == [query]
    trial.verified()


REVIEWS = {"monitor", "manager", "manager2"}
LOOKS_ON = {"nurse", "nurse2", "doctor", *REVIEWS, "statistician", "sponsor", "inspector"}
WHO: dict[str, set[str]] = {
    "list": LOOKS_ON,
    "counts": LOOKS_ON,
    "thread": LOOKS_ON - {"nurse2", "sponsor"},
    "people": REVIEWS,
    "open": {"doctor", *REVIEWS},
    "answer": {"nurse", "doctor"},
    "confirm": {"nurse", "doctor"},
    "close": REVIEWS,
    "reopen": REVIEWS,
    "cancel": REVIEWS,
    "assign": REVIEWS,
}
ELSEWHERE = {"nurse2", "stranger"}


@pytest.mark.parametrize("act", WHO)
def test_each_act_is_open_to_those_it_is_for(trial: Trial, act: str) -> None:
    page = Page(trial)
    page.enter("97.5")
    where = {"subject": page.subject, "visit": "SCR", "form": "labs", "item": "hb", "text": "Please check"}
    for who, person in trial.cast.items():
        query = asks(trial.monitor, page.subject)["query"]
        if act == "reopen":
            does(trial.manager, "close", query, None)
        looks = {"list": "", "counts": "/counts", "thread": f"/{query}", "people": "/people?site=HZ01"}
        body = {"open": where, "assign": {"assignee": "nurse"}}.get(act, {"text": "As I say"})
        path = looks.get(act, "" if act == "open" else f"/{query}/{act}")
        answer = person.get("/queries" + path) if act in looks else person.post("/queries" + path, body)
        allowed = 201 if act == "open" else 200
        expected = allowed if who in WHO[act] else 404 if who in ELSEWHERE else 403
        assert answer.status_code == expected, f"{who} {act}"


def test_a_sponsor_sees_which_queries_there_are_and_reads_nobodys_words(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    asks(trial.monitor, page.subject, text="The patient of bed 7?")
    by_rule, by_person = sorted(listed(trial.sponsor), key=lambda each: each["rule"] is None)
    assert by_rule["message"] == "Haemoglobin is unusually low, below 50 g/L"
    assert (by_person["message"], by_person["state"], by_person["item"]) == (None, "open", "hb")


def test_another_sites_query_answers_as_one_that_is_not_there(trial: Trial) -> None:
    theirs = trial.nurse2.subject("HZ02")
    trial.nurse2.enter(theirs, "SCR", "labs", LABS | {"hb": "21"})
    (query,) = (each["query"] for each in listed(trial.manager))
    nowhere = "00000000-0000-4000-8000-000000000000"
    for who in (trial.nurse, trial.monitor):
        assert listed(who) == []
        seen, none = who.get(f"/queries/{query}"), who.get(f"/queries/{nowhere}")
        assert seen.status_code == none.status_code == 404
        assert seen.json() | {"request_id": ""} == none.json() | {"request_id": ""}
    assert trial.nurse.post(f"/queries/{query}/answer", {"text": "Mine"}).status_code == 404
    assert trial.monitor.post(f"/queries/{query}/close", {}).status_code == 404
    assert trial.nurse.get("/queries", params={"site": "HZ02"}).status_code == 404
    assert trial.monitor.get("/queries/people", params={"site": "HZ02"}).status_code == 404


def test_who_works_at_a_site_is_told_to_reviewers_whichever_way_they_ask(trial: Trial) -> None:
    refused(trial.nurse.get("/queries/people", params={"site": "HZ01"}), 403)
    nurse = Actor(uuid4(), "nurse", "Nurse", "test", grants=(Grant("TRIAL", "coordinator", "HZ01"),))
    with trial.database.reading() as session:
        with pytest.raises(Forbidden):
            answerable(session, nurse, "TRIAL", "HZ01")
        with pytest.raises(NotFound):
            answerable(session, nurse, "TRIAL", "HZ02")


def test_a_query_goes_with_its_subject_to_another_site(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    query = page.query()
    trial.manager.post(f"/subjects/{page.subject}/transfer", {"site": "HZ02", "reason": "Moved house"})
    assert trial.nurse.get(f"/queries/{query}").status_code == 404
    assert does(trial.nurse2, "answer", query)["state"] == "answered"
    trial.verified()


def test_what_is_asked_and_answered_stands_in_the_trail_without_its_words(trial: Trial) -> None:
    page = Page(trial)
    page.enter("97.5")
    query = asks(trial.monitor, page.subject, text="Canary 7f3a of bed 7")["query"]
    does(trial.nurse, "answer", query, "Canary 7f3a indeed")
    feed = trial.manager.get("/audit", params={"action": "query."}).json()["items"]
    assert [(each["action"], each["actor"], each["subject_id"]) for each in feed] == [
        ("query.open", "Monitor of the cast", page.subject), ("query.answer", "Nurse of the cast", page.subject),
    ]  # fmt: skip
    assert feed[0]["detail"] == {
        "visit": "SCR", "visit_repeat": 1, "form": "labs", "repeat": 1, "item": "hb", "row": None, "query": query,
    }  # fmt: skip
    assert "Canary" not in str(feed)


def test_a_page_shows_its_queries_as_of_an_instant(trial: Trial) -> None:
    page = Page(trial)
    path = f"/subjects/{page.subject}/visits/SCR/forms/labs"
    wrong = page.enter("21")
    told = does(trial.nurse, "answer", page.query(), "Corrected")
    right = page.enter("121")
    does(trial.monitor, "close", page.query(), None)
    late = clock.now() + timedelta(seconds=1)

    def states(at: Any) -> list[tuple[str, int]]:
        shown = trial.nurse.get(path, params={"as_of": at}).json()["queries"]
        return [(each["state"], each["messages"]) for each in shown]

    assert states(wrong["saved_at"]) == [("open", 1)]
    assert states(told["changed_at"]) == [("answered", 2)]
    assert states(right["saved_at"]) == [("answered", 3)]
    assert states(late.isoformat()) == []
    then = trial.nurse.get(path, params={"as_of": wrong["saved_at"]}).json()["queries"][0]
    assert (then["message"], then["opened_at"]) == ("Haemoglobin is unusually low, below 50 g/L", wrong["saved_at"])
