"""Queries that rules open: they follow the data, and leave to people what people have spoken about."""

import pytest

from tests.quality.asking import LABS, Page, acts, asks, does, listed, thread
from tests.trial import Trial


def test_a_value_that_looks_wrong_opens_one_query_however_often_the_page_is_saved(trial: Trial) -> None:
    page = Page(trial)
    saved = page.enter("21")
    (shown,) = saved["queries"]
    assert (shown["item"], shown["row"], shown["rule"], shown["state"]) == ("hb", None, "soft_min", "open")
    assert shown["message"] == "Haemoglobin is unusually low, below 50 g/L"
    page.enter("21", anc="1.5")
    page.enter("21", anc="1.6")
    (query,) = listed(trial.manager)
    assert (query["query"], query["messages"], query["label"]) == (shown["query"], 1, "Haemoglobin")
    trial.verified()


def test_it_closes_itself_when_the_value_is_right_and_reopens_in_the_same_thread(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    query = page.query()
    assert page.enter("121")["queries"] == []
    first = thread(trial.manager, query)
    assert (first["state"], first["closed_at"] is None) == ("closed", False)
    page.enter("22")
    again = thread(trial.manager, query)
    assert (again["state"], again["closed_at"]) == ("open", None)
    assert again["opened_at"] > first["opened_at"]
    page.enter("122")
    assert acts(trial.manager, query) == ["raise", "settle", "raise", "settle"]
    assert {each["by"] for each in again["thread"]} == {"Marrow"}
    assert page.query() == query
    trial.verified()


def test_another_wrong_value_is_told_in_the_query_that_is_open(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    page.enter("22")
    assert (page.state(), acts(trial.manager, page.query())) == ("open", ["raise", "raise"])


def test_what_a_person_has_answered_is_closed_by_people(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    query = page.query()
    does(trial.nurse, "answer", query, "Digits swapped, corrected")
    page.enter("121")
    told = thread(trial.manager, query)
    assert told["state"] == "answered"
    assert told["thread"][-1]["text"] == "The data no longer give rise to this question"
    assert does(trial.monitor, "close", query, None)["state"] == "closed"
    trial.verified()


def test_what_a_person_has_asked_again_is_closed_by_people(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    does(trial.nurse, "answer", page.query())
    does(trial.monitor, "reopen", page.query(), "Which source?")
    page.enter("121")
    assert page.state() == "reopened"


def test_a_confirmed_value_is_not_asked_about_again_but_a_new_one_is(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    query = page.query()
    assert does(trial.doctor, "confirm", query, "Read from the analyser, twice")["state"] == "answered"
    does(trial.monitor, "close", query, None)
    page.enter("21", anc="1.5")
    page.enter("121")
    page.enter("21")
    assert page.state() == "closed"
    page.enter("22")
    assert page.state() == "open"
    page.enter("21")
    assert page.state() == "closed"
    assert acts(trial.manager, query) == ["raise", "confirm", "close", "spare", "raise", "spare"]
    trial.verified()


def test_a_value_answered_and_not_confirmed_is_asked_about_again(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    does(trial.nurse, "answer", page.query(), "Corrected")
    page.enter("22")
    assert page.state() == "reopened"
    page.enter("121")
    assert page.state() == "reopened"


def test_who_reopens_does_not_take_the_value_for_confirmed(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    query = page.query()
    does(trial.nurse, "confirm", query)
    does(trial.manager, "reopen", query, "The source says 121")
    does(trial.nurse, "answer", query, "It does indeed")
    does(trial.manager, "close", query, None)
    page.enter("121")
    page.enter("21")
    assert page.state() == "open"


def test_a_confirmation_of_what_is_no_longer_questioned_silences_nothing(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    does(trial.nurse, "answer", page.query())
    page.enter("121")
    does(trial.nurse, "confirm", page.query(), "121 it is")
    does(trial.monitor, "close", page.query(), None)
    page.enter("21")
    assert page.state() == "open"


def test_a_value_in_another_unit_is_another_value(trial: Trial) -> None:
    page = Page(trial)
    page.enter("2.1")
    does(trial.nurse, "confirm", page.query())
    page.enter({"value": "2.1", "unit": "g/dL"})
    assert page.state() == "reopened"


def test_a_page_that_is_struck_takes_its_queries_with_it_and_brings_the_rules_back(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21", anc="1.5")
    asked = asks(trial.monitor, page.subject, item="anc")
    answered = asks(trial.monitor, page.subject, item="sample_date")
    does(trial.nurse, "answer", answered["query"])
    elsewhere = asks(trial.monitor, _elsewhere(trial))
    page.void()
    states = {each["query"]: each["state"] for each in listed(trial.manager)}
    assert states == {
        page.query(): "closed", asked["query"]: "closed", answered["query"]: "closed", elsewhere["query"]: "open",
    }  # fmt: skip
    assert thread(trial.nurse, asked["query"])["thread"][-1]["text"] == "The page was struck; it counts for nothing"
    page.enter("21", anc="1.5")
    assert page.state() == "open"
    assert thread(trial.manager, asked["query"])["state"] == "closed"
    trial.verified()


def _elsewhere(trial: Trial) -> str:
    other = trial.nurse.subject()
    trial.nurse.enter(other, "SCR", "labs", LABS)
    return other


def test_a_contradiction_between_pages_asks_about_the_subject(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"})
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2023"})
    (query,) = listed(trial.manager)
    assert (query["item"], query["rule"], query["visit"], query["form"]) == ("OS", "endpoint-contradiction", None, None)
    assert trial.nurse.get(f"/subjects/{subject}/casebook").json()["queries"][0]["query"] == query["query"]
    assert trial.manager.get("/queries/counts").json()["form"] == {"-": {"open": 1}}
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2025"}, revision=1, reason="Misread")
    assert thread(trial.manager, query["query"])["state"] == "closed"
    trial.verified()


def test_a_contradiction_confirmed_is_asked_about_again_for_another_date(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"})
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2023"})
    (query,) = (each["query"] for each in listed(trial.manager))
    does(trial.doctor, "confirm", query, "As the death certificate says")
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2023", "cause": "x"}, revision=1, reason="Found")
    assert acts(trial.manager, query) == ["raise", "confirm"]
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2022"}, revision=2, reason="Misread")
    assert (acts(trial.manager, query)[-1], thread(trial.manager, query)["state"]) == ("raise", "reopened")
    trial.nurse.enter(subject, "LOG", "death", {"death_date": "2023"}, revision=3, reason="It was right")
    assert acts(trial.manager, query)[-1] == "spare"


def test_rows_are_asked_about_one_by_one(trial: Trial) -> None:
    """A value left behind in a row is a question of that row, and settled with it."""
    page = Page(trial)
    rows = [{"row": 1, "drug": "A", "dose": "5"}, {"row": 2, "drug": "B", "dose": "6"}]
    page.enter("97", drugs=rows)
    first = asks(trial.monitor, page.subject, item="dose", row=1)
    second = asks(trial.monitor, page.subject, item="dose", row=2)
    saved = page.enter("97", drugs=rows)
    assert {(each["query"], each["row"]) for each in saved["queries"]} == {(first["query"], 1), (second["query"], 2)}


def test_an_import_asks_and_settles_like_a_save(trial: Trial) -> None:
    subject = trial.nurse.subject()
    headers = {"Content-Type": "text/csv"}
    wrong = f"subject,sample_date,hb\n{subject},2024-01-09,21\n".encode()
    trial.nurse.call("POST", "/imports/labs?visit=SCR", content=wrong, headers=headers)
    (query,) = listed(trial.manager)
    assert query["state"] == "open"
    right = f"subject,revision,reason,sample_date,hb\n{subject},1,Misread,2024-01-09,97\n".encode()
    trial.nurse.call("POST", "/imports/labs?visit=SCR", content=right, headers=headers)
    assert thread(trial.manager, query["query"])["state"] == "closed"
    trial.verified()


def test_deriving_again_asks_nothing_new(trial: Trial) -> None:
    page = Page(trial)
    page.enter("21")
    assert trial.manager.post("/derive").json() == {"subjects": 1, "deviations": []}
    assert acts(trial.manager, page.query()) == ["raise"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_system_says_is_said_in_the_readers_language(trial: Trial, language: str) -> None:
    page = Page(trial)
    page.enter("21")
    page.enter("121")
    told = thread(trial.manager, page.query(), headers={"Accept-Language": language})
    texts = [told["message"], told["remedy"], *(each["text"] for each in told["thread"])]
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in text) is (language == "zh") for text in texts)
    assert not any("21" in text for text in texts)
