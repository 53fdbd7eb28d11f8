"""A request sent again has one effect and one answer, however the network behaved."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.trial import PASSWORD, Person, Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
LABS = "subject,sample_date,hb\n{},2024-01-09,97\n"


def test_a_subject_that_is_asked_for_again_and_again_comes_once(trial: Trial) -> None:
    key = {"Idempotency-Key": "enrol-2024-01-05-a"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: trial.nurse.post("/subjects", {"site": "HZ01"}, headers=key), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert {answer.headers["Location"] for answer in answers} == {
        "/api/v1/studies/TRIAL/subjects/HZ01-001/casebook",
    }
    assert len(trial.nurse.get("/subjects").json()["items"]) == 1
    created = trial.manager.get("/audit", params={"action": "subject.create"}).json()["items"]
    assert len(created) == 1
    trial.verified()


def test_a_key_belongs_to_one_request_and_one_person(trial: Trial) -> None:
    key = {"Idempotency-Key": "one"}
    assert trial.nurse.post("/subjects", {"site": "HZ01"}, headers=key).status_code == 201
    other = trial.nurse.post("/subjects", {"site": "HZ01", "number": "S-2"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    theirs = trial.doctor.post("/subjects", {"site": "HZ01"}, headers=key)
    assert theirs.json()["subject_id"] == "HZ01-002"
    for wrong in ("", "a b", "x" * 129, "中"):
        refused = trial.nurse.post("/subjects", {"site": "HZ01"}, headers={"Idempotency-Key": wrong.encode()})
        assert refused.status_code in {400, 422}, wrong


def test_what_was_refused_can_be_tried_again_with_the_same_key(trial: Trial) -> None:
    key = {"Idempotency-Key": "again"}
    body = {"site": "HZ01", "number": "S-1"}
    trial.nurse.subject(number="S-1")
    assert trial.nurse.post("/subjects", body, headers=key).status_code == 409
    assert trial.nurse.post("/subjects", body | {"number": "S-2"}, headers=key).status_code == 201


def test_an_import_that_is_sent_again_stores_nothing_more(trial: Trial) -> None:
    subject = trial.nurse.subject()
    headers = {"Idempotency-Key": "file-1", "Content-Type": "text/csv"}
    path = "/imports/labs?visit=SCR"
    first, again = (
        trial.nurse.call("POST", path, content=LABS.format(subject).encode(), headers=headers) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["created"] == 1
    page = trial.nurse.get(f"/subjects/{subject}/visits/SCR/forms/labs").json()
    assert page["revision"] == 1
    del headers["Idempotency-Key"]
    third = trial.nurse.call("POST", path, content=LABS.format(subject).encode(), headers=headers)
    assert (third.json()["created"], third.json()["unchanged"]) == (0, 1)


def test_who_has_lost_the_right_is_not_told_what_was_kept(trial: Trial) -> None:
    subject, other = trial.nurse.subject(), trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    void = f"/subjects/{subject}/visits/SCR/forms/consent/void"
    requests: list[tuple[Person, str, dict[str, Any], dict[str, str]]] = [
        (trial.nurse, "/subjects", {"json": {"site": "HZ01"}}, {}),
        (trial.nurse, void, {"json": {"reason": "Wrong subject"}}, {"If-Match": '"1"'}),
        (
            trial.nurse,
            "/imports/labs?visit=SCR",
            {"content": LABS.format(other).encode()},
            {"Content-Type": "text/csv"},
        ),
        (trial.manager, f"/subjects/{other}/transfer", {"json": {"site": "HZ02", "reason": "Moved"}}, {}),
    ]

    def answers() -> list[Any]:
        return [
            who.call("POST", path, headers=headers | {"Idempotency-Key": f"k-{number}"}, **body)
            for number, (who, path, body, headers) in enumerate(requests)
        ]

    first, again = answers(), answers()
    assert [each.status_code for each in first] == [201, 200, 201, 200]
    assert [each.content for each in again] == [each.content for each in first]
    for grant in trial.administrator.get("/grants").json()["items"]:
        if grant["username"] in {"nurse", "manager"}:
            trial.administrator.post(f"/grants/{grant['grant_id']}/end", {"reason": "Left the trial"})
    assert [each.status_code for each in answers()] == [404] * 4


def test_a_page_struck_before_the_subject_moved_away_is_not_told_again(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    headers = {"If-Match": '"1"', "Idempotency-Key": "struck"}
    path = f"/subjects/{subject}/visits/SCR/forms/consent/void"
    assert trial.nurse.post(path, {"reason": "Wrong subject"}, headers=headers).status_code == 200
    trial.manager.post(f"/subjects/{subject}/transfer", {"site": "HZ02", "reason": "Moved"})
    assert trial.nurse.post(path, {"reason": "Wrong subject"}, headers=headers).status_code == 404


def test_a_grant_that_is_sent_again_is_given_once(trial: Trial) -> None:
    body = {"username": "nurse", "role": "coordinator", "site": "HZ02", "reason": "Delegation log"}
    key = {"Idempotency-Key": "grant-1"}
    first, again = (trial.administrator.post("/grants", body, headers=key) for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    assert trial.administrator.post("/grants", body).status_code == 409


def test_a_secret_is_told_once_and_a_key_for_it_is_refused(trial: Trial) -> None:
    key = {"Idempotency-Key": "secret"}
    sent: list[tuple[Person, str, dict[str, Any]]] = [
        (trial.nurse, "/session", {"username": "nurse", "password": PASSWORD}),
        (trial.nurse, "/me/tokens", {"label": "Script", "study": "TRIAL", "days": 1}),
        (trial.administrator, "/accounts", {"username": "novice", "name": "A Novice"}),
        (trial.administrator, "/accounts/nurse/reset", {"reason": "Forgotten"}),
    ]
    for who, path, body in sent:
        refused = who.post(f"/api/v1{path}", body, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (400, "idempotency-key-not-taken"), path
        assert who.post(f"/api/v1{path}", body).status_code == 201, path
