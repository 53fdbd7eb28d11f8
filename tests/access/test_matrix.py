"""Every route of this chapter, asked by every role: here, in a study of others, and by nobody."""

from typing import Any

import pytest
from sqlalchemy import select, text

from app import models
from app.access.actor import token_hash
from app.core import clock

ADMINISTRATORS = {"admin2"}
READERS_OF_GRANTS = ADMINISTRATORS | {"dm", "insp", "build"}
EVERYBODY = {"crc", "inv", "cra", "dm", "stat", "spon", "insp", "build", "admin2"}

REASON = {"reason": "Asked by every role"}
GRANT = {"username": "other", "role": "monitor", **REASON}
NOWHERE = "00000000-0000-4000-8000-000000000000"

ROUTES: dict[tuple[str, str], tuple[Any, set[str], int]] = {
    ("GET", "/me"): (None, EVERYBODY, 200),
    ("GET", "/me/sessions"): (None, EVERYBODY, 200),
    ("DELETE", f"/me/sessions/{NOWHERE}"): (None, EVERYBODY, 404),
    ("POST", "/me/password"): ({"old_password": "x", "new_password": "y"}, EVERYBODY, 422),
    ("POST", "/me/tokens"): ({"label": "x", "study": "T9", "days": 1}, EVERYBODY, 422),
    ("GET", "/accounts"): (None, ADMINISTRATORS, 200),
    ("POST", "/accounts"): ({"username": "crc", "name": "Taken"}, ADMINISTRATORS, 409),
    ("POST", "/accounts/nobody/reset"): (REASON, ADMINISTRATORS, 404),
    ("POST", "/accounts/nobody/deactivate"): (REASON, ADMINISTRATORS, 404),
    ("POST", "/accounts/crc/reactivate"): (REASON, ADMINISTRATORS, 409),
    ("GET", "/studies/T1/grants"): (None, READERS_OF_GRANTS, 200),
    ("POST", "/studies/T1/grants"): ({**GRANT, "role": "builder"}, ADMINISTRATORS, 422),
    ("POST", f"/studies/T1/grants/{NOWHERE}/end"): (REASON, ADMINISTRATORS, 404),
    ("GET", "/studies/-/grants"): (None, ADMINISTRATORS | {"build"}, 200),
    ("POST", "/studies/-/grants"): (GRANT, ADMINISTRATORS, 422),
}


def test_each_route_answers_those_it_is_for_and_refuses_all_others(world: Any) -> None:
    for (method, path), (body, allowed, status) in ROUTES.items():
        for who in sorted(EVERYBODY):
            answer = world.call(who, method, path, body)
            assert answer.status_code == (status if who in allowed else 403), f"{who} {method} {path}"


def test_whoever_has_no_role_in_a_study_finds_nothing_there(world: Any) -> None:
    for (method, path), (body, _, _) in ROUTES.items():
        if "/T1/" in path:
            assert world.call("other", method, path, body).status_code == 404, f"{method} {path}"


def test_nobody_is_asked_to_sign_in_first(world: Any) -> None:
    for (method, path), (body, _, _) in ROUTES.items():
        answer = world.call(None, method, path, body)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), f"{method} {path}"


def test_a_refused_act_stores_its_trace_and_nothing_else(world: Any) -> None:
    accounts = "SELECT count(*) AS n FROM account"
    before = world.rows(accounts)
    world.call("dm", "GET", "/me")
    length = len(world.trail())
    assert world.call("dm", "POST", "/accounts", {"username": "mole", "name": "Canary 7f3a"}).status_code == 403
    added = world.trail()[length:]
    assert [row["action"] for row in added] == ["access.denied"]
    assert added[0]["detail"] == {"permission": "account.manage", "study": "-", "site": None}
    assert added[0]["actor"] == "Person dm"
    assert "Canary" not in str(added)
    assert "mole" not in str(added)
    assert world.rows(accounts) == before


def test_the_wall_opens_to_ones_own_studies_alone(world: Any) -> None:
    """Row-level security stands behind the permission table: what `marrow_enter` opened is all that can be read."""
    token = world.sign_in("crc").json()["token"]
    site = models.site.c
    with world.database.reading() as session:
        assert session.execute(select(site.site_id)).all() == []
        entered = text("SELECT account_id FROM marrow_enter(:token, :moment)")
        session.execute(entered, {"token": token_hash(token), "moment": clock.now()})
        assert {row.study_id for row in session.execute(select(site.study_id))} == {"T1"}
    with world.database.reading() as session:
        assert session.execute(select(site.site_id)).all() == []


@pytest.mark.parametrize("who", ["crc", "dm", "build"])
def test_fields_of_any_other_request_are_refused_by_each(world: Any, who: str) -> None:
    names = ("site_id", "role", "version", "created_by", "status", "is_admin", "account_id", "granted_by", "scope")
    for name in names:
        body = {"label": "x", "study": "T1", "days": 1, name: "x"}
        assert world.call(who, "POST", "/me/tokens", body).status_code == 422, name
    assert world.rows("SELECT 1 FROM session_token WHERE kind = 'api'") == []
