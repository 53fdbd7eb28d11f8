"""Roles: given by others, here and not there, from and until; what is refused leaves its trace."""

from datetime import timedelta
from typing import Any

import pytest

GRANTS = "/studies/T1/grants"


def grant(world: Any, body: dict[str, Any], study: str = "T1", who: str = "admin") -> Any:
    return world.call(who, "POST", f"/studies/{study}/grants", {"reason": "Delegation log", **body})


def test_a_role_is_given_shows_at_the_next_request_and_is_recorded_in_the_studys_chain(world: Any) -> None:
    before = world.call("other", "GET", "/me").json()["grants"]
    made = grant(world, {"username": "other", "role": "monitor", "site": "HZ02"})
    assert made.status_code == 201
    assert (made.json()["study"], made.json()["site"], made.json()["username"]) == ("T1", "HZ02", "other")
    after = world.call("other", "GET", "/me").json()["grants"]
    assert [held for held in after if held not in before] == [{"study": "T1", "role": "monitor", "site": "HZ02"}]
    last = world.trail("T1")[-1]
    assert (last["action"], last["reason"], last["actor"], last["site_id"], last["zone"]) == (
        "grant.give",
        "Delegation log",
        "Ada Ministrator",
        "HZ02",
        "Asia/Shanghai",
    )


def test_a_grant_ends_at_the_next_request_of_a_living_session(world: Any) -> None:
    assert world.call("dm", "GET", GRANTS).status_code == 200
    own = next(row for row in world.call("dm", "GET", GRANTS).json()["items"] if row["username"] == "dm")
    ended = world.call("admin", "POST", f"{GRANTS}/{own['grant_id']}/end", {"reason": "Left the trial"})
    assert ended.status_code == 200
    assert ended.json()["valid_to"] is not None
    assert world.call("dm", "GET", GRANTS).status_code == 404
    assert world.call("dm", "GET", "/me").json()["grants"] == []
    assert world.trail("T1")[-1]["action"] == "grant.end"
    again = world.call("admin", "POST", f"{GRANTS}/{own['grant_id']}/end", {"reason": "Left the trial"})
    assert again.status_code == 409


def test_a_grant_holds_from_its_day_until_its_day(world: Any) -> None:
    start, stop = world.clock.moment + timedelta(days=2), world.clock.moment + timedelta(days=4)
    body = {"username": "other", "role": "monitor", "valid_from": start.isoformat(), "valid_to": stop.isoformat()}
    assert grant(world, body).status_code == 201
    held = []
    for _ in range(5):
        world.tokens.clear()
        held.append(any(role["study"] == "T1" for role in world.call("other", "GET", "/me").json()["grants"]))
        world.clock.forward(days=1)
    assert held == [False, False, True, True, False]


def test_a_grant_that_is_ended_before_it_began_never_holds(world: Any) -> None:
    start = (world.clock.moment + timedelta(days=1)).isoformat()
    made = grant(world, {"username": "other", "role": "monitor", "valid_from": start}).json()
    ended = world.call("admin", "POST", f"{GRANTS}/{made['grant_id']}/end", {"reason": "Plans changed"})
    assert ended.json()["valid_to"] == ended.json()["valid_from"]
    world.clock.forward(days=2)
    world.tokens.clear()
    assert all(role["study"] == "T2" for role in world.call("other", "GET", "/me").json()["grants"])


def test_nobody_grants_to_themselves_or_ends_their_own(world: Any) -> None:
    answer = grant(world, {"username": "ADMIN", "role": "coordinator"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    system = world.call("admin", "GET", "/studies/-/grants").json()["items"]
    own = next(row for row in system if row["username"] == "admin")
    assert world.call("admin", "POST", f"/studies/-/grants/{own['grant_id']}/end", {"reason": "Bye"}).status_code == 403
    denials = [row for row in world.trail() if row["action"] == "access.denied"]
    assert len(denials) == 2
    assert denials[0]["detail"] == {"permission": "grant.manage", "study": "T1", "site": None}
    assert denials[0]["actor"] == "Ada Ministrator"


@pytest.mark.parametrize(
    ("study", "role"),
    [("T1", "administrator"), ("T1", "builder"), ("-", "coordinator"), ("-", "inspector"), ("-", "data_manager")],
)
def test_system_roles_are_granted_in_the_system_and_all_others_in_a_study(world: Any, study: str, role: str) -> None:
    answer = grant(world, {"username": "crc", "role": role}, study)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/role"]


def test_every_fault_of_a_grant_is_named_at_once(world: Any) -> None:
    past = (world.clock.moment - timedelta(days=2)).isoformat()
    older = (world.clock.moment - timedelta(days=3)).isoformat()
    body = {"username": "nobody", "role": "builder", "site": "XX99", "valid_from": past, "valid_to": older}
    answer = grant(world, body)
    assert answer.status_code == 422
    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert pointers == {"/username", "/role", "/site", "/valid_from", "/valid_to"}
    assert "nobody" not in answer.text
    assert "XX99" not in answer.text


@pytest.mark.parametrize(
    "extra",
    [
        {"account_id": "x"},
        {"granted_by": "x"},
        {"study_id": "T2"},
        {"valid_from": 86400},
        {"valid_from": "2026-03-31"},
        {"valid_from": "0001-01-01T00:00:00+14:00"},
        {"valid_to": "9999-12-31T23:59:59-14:00"},
        {"role": "king"},
        {"role": 1},
        {"reason": ""},
        {"reason": "\u202e\u202e\u202e"},
        {"site": 1},
    ],
)
def test_what_a_grant_does_not_take_is_refused_and_nothing_is_stored(world: Any, extra: dict[str, Any]) -> None:
    before = world.trail("T1")
    assert grant(world, {"username": "other", "role": "monitor", **extra}).status_code == 422
    assert world.trail("T1") == before


def test_a_role_held_already_is_not_granted_twice(world: Any) -> None:
    assert grant(world, {"username": "crc", "role": "coordinator", "site": "HZ01"}).status_code == 409
    assert grant(world, {"username": "crc", "role": "coordinator", "site": "HZ02"}).status_code == 201
    world.call("admin", "POST", "/accounts/crc2/deactivate", {"reason": "Left the site"})
    assert grant(world, {"username": "crc2", "role": "monitor"}).status_code == 409


def test_a_study_that_is_not_there_and_one_that_is_anothers_are_answered_alike(world: Any) -> None:
    answers = [world.call("dm", "GET", f"/studies/{study}/grants") for study in ("T2", "T9")]
    assert {answer.status_code for answer in answers} == {404}
    bodies = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in answers]
    assert bodies[0] == bodies[1]
    assert [row["action"] for row in world.trail()[-2:]] == ["access.denied"] * 2
    assert world.call("admin", "GET", "/studies/T9/grants").status_code == 404
    assert world.call("admin", "POST", "/studies/T9/grants", {
        "username": "crc", "role": "monitor", "reason": "Misspelt"
    }).status_code == 404  # fmt: skip


def test_a_grant_is_ended_only_under_its_own_study(world: Any) -> None:
    row = world.call("admin", "GET", GRANTS).json()["items"][0]
    path = f"/studies/T2/grants/{row['grant_id']}/end"
    assert world.call("admin", "POST", path, {"reason": "Wrong study"}).status_code == 404


def test_grants_are_listed_in_the_order_they_began_page_by_page(world: Any) -> None:
    whole = world.call("admin", "GET", GRANTS).json()["items"]
    assert [row["username"] for row in whole] == ["crc", "crc2", "inv", "cra", "dm", "stat", "spon", "insp"]
    first = world.call("admin", "GET", f"{GRANTS}?limit=5").json()
    rest = world.call("admin", "GET", f"{GRANTS}?limit=5&cursor={first['next_cursor']}").json()
    assert first["items"] + rest["items"] == whole
    elsewhere = world.call("admin", "GET", f"/studies/T2/grants?cursor={first['next_cursor']}")
    assert elsewhere.status_code == 400


def test_an_api_token_opens_one_study_with_its_owners_roles_and_never_administers(world: Any) -> None:
    grant(world, {"username": "dm", "role": "data_manager"}, "T2")
    made = world.call("dm", "POST", "/me/tokens", {"label": "Nightly export", "study": "T1", "days": 365})
    assert made.status_code == 201
    world.tokens["api"] = made.json()["token"]
    me = world.call("api", "GET", "/me").json()
    assert me["grants"] == [{"study": "T1", "role": "data_manager", "site": None}]
    assert (me["kind"], me["scope"]) == ("api", "T1")
    assert world.call("api", "GET", GRANTS).status_code == 200
    assert world.call("api", "GET", "/studies/T2/grants").status_code == 404
    for method, path, body in (
        ("POST", "/me/tokens", {"label": "Another", "study": "T1", "days": 1}),
        ("POST", "/me/password", {"old_password": "seven grey herons wade", "new_password": "nine slow barges drift"}),
        ("DELETE", "/session", None),
        ("DELETE", f"/me/sessions/{made.json()['token_id']}", None),
    ):
        assert world.call("api", method, path, body).status_code == 403, path
    own = next(row for row in world.call("admin", "GET", GRANTS).json()["items"] if row["username"] == "dm")
    world.call("admin", "POST", f"{GRANTS}/{own['grant_id']}/end", {"reason": "Left the trial"})
    assert world.call("api", "GET", GRANTS).status_code == 404


def test_an_administrators_api_token_does_not_administer(world: Any) -> None:
    made = world.call("admin", "POST", "/me/tokens", {"label": "Cron job", "study": "-", "days": 5})
    world.tokens["api"] = made.json()["token"]
    assert world.call("api", "GET", "/accounts").status_code == 403
    assert grant(world, {"username": "crc", "role": "monitor"}, who="api").status_code == 403
    assert world.call("api", "GET", GRANTS).status_code == 200


def test_an_api_token_does_not_rest_but_expires_on_its_day_and_can_be_ended(world: Any) -> None:
    made = world.call("dm", "POST", "/me/tokens", {"label": "Nightly", "study": "T1", "days": 2}).json()
    world.tokens["api"] = made["token"]
    world.clock.forward(hours=47)
    assert world.call("api", "GET", "/me").status_code == 200
    world.clock.forward(hours=1)
    assert world.call("api", "GET", "/me").status_code == 401
    world.tokens.pop("dm")
    again = world.call("dm", "POST", "/me/tokens", {"label": "Nightly", "study": "T1", "days": 2}).json()
    world.tokens["api"] = again["token"]
    assert world.call("dm", "GET", "/me/sessions").json()["items"][0]["label"] == "Nightly"
    assert world.call("dm", "DELETE", f"/me/sessions/{again['token_id']}").status_code == 204
    assert world.call("api", "GET", "/me").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"label": "x", "study": "T2", "days": 5},
        {"label": "x", "study": "T9", "days": 5},
        {"label": "x", "study": "-", "days": 5},
        {"label": "x", "study": "T1", "days": 366},
        {"label": "x", "study": "T1", "days": 0},
        {"label": "x", "study": "T1", "days": 1.0},
        {"label": "x", "study": "T1", "days": True},
        {"label": "", "study": "T1", "days": 5},
        {"label": "x", "study": "T1", "days": 5, "scope": "-"},
    ],
)
def test_an_api_token_is_not_made_for_more_than_its_owner_has(world: Any, body: dict[str, Any]) -> None:
    assert world.call("dm", "POST", "/me/tokens", body).status_code == 422
