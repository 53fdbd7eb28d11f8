"""A request sent again has one effect and one answer, however the network behaved."""

from concurrent.futures import ThreadPoolExecutor

from tests.trial import Trial

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
