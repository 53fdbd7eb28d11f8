"""Accounts: the first one, invitations, passwords, closing and opening again."""

from typing import Any

import pytest
from sqlalchemy import Engine

from app.access import accounts
from app.access.actor import SystemActor
from app.core.errors import Conflict, Unreadable
from app.core.transaction import Database, see_all

PASSWORD = "seven grey herons wade"
CHOSEN = "nine slow barges drift"


def invite(world: Any, username: str = "li.na@zju", name: str = "Li Na 李娜") -> Any:
    return world.call("admin", "POST", "/accounts", {"username": username, "name": name})


def accept(world: Any, token: str, password: str = CHOSEN, what: str = "invitations") -> Any:
    return world.client().post(f"/api/v1/{what}/accept", json={"token": token, "password": password})


def test_the_first_administrator_is_made_once(engine: Engine, tmp_path: Any) -> None:
    database = Database(engine, tmp_path / "anchors.jsonl")
    with database.writing() as session:
        accounts.create_first_administrator(session, "root", "Root", PASSWORD)
    with pytest.raises(Conflict), database.writing() as session:
        accounts.create_first_administrator(session, "second", "Second", PASSWORD)
    with database.reading() as session:
        see_all(session)
        rows, _ = accounts.listing(session, SystemActor(), cursor=None, limit=10)
    assert [row["username"] for row in rows] == ["root"]


def test_a_first_administrator_needs_a_good_password(engine: Engine, tmp_path: Any) -> None:
    database = Database(engine, tmp_path / "anchors.jsonl")
    with pytest.raises(Unreadable) as refused, database.writing() as session:
        accounts.create_first_administrator(session, "root", "Root", "password1234")
    assert [fault.code for fault in refused.value.errors] == ["guessable"]


@pytest.mark.parametrize("name", ["", "  ", "Ro\u202eot", "x" * 201])
def test_a_first_administrator_has_a_name_that_can_be_read(engine: Engine, tmp_path: Any, name: str) -> None:
    database = Database(engine, tmp_path / "anchors.jsonl")
    with pytest.raises(Unreadable) as refused, database.writing() as session:
        accounts.create_first_administrator(session, "root", name, PASSWORD)
    assert [fault.pointer for fault in refused.value.errors] == ["/name"]


def test_an_invitation_is_accepted_once_and_then_the_password_opens(world: Any) -> None:
    made = invite(world)
    assert made.status_code == 201
    assert made.json()["account"]["status"] == "invited"
    token = made.json()["token"]
    assert accept(world, token, "short").status_code == 422
    assert accept(world, token).status_code == 204
    assert accept(world, token).status_code == 404
    assert world.sign_in("Li.Na@ZJU", CHOSEN).status_code == 201
    assert world.actions().count("account.invite") == 1
    last = [row for row in world.trail() if row["action"] == "account.password"][-1]
    assert last["actor"] == "Li Na 李娜"


def test_an_invitation_expires_and_is_renewed(world: Any) -> None:
    token = invite(world).json()["token"]
    world.clock.forward(days=7)
    assert accept(world, token).status_code == 404
    again = world.call("admin2", "POST", "/accounts/li.na@zju/reset", {"reason": "Was on holiday"})
    assert again.status_code == 201
    assert accept(world, token).status_code == 404
    assert accept(world, again.json()["token"]).status_code == 204


def test_a_newer_invitation_ends_the_older(world: Any) -> None:
    first = invite(world).json()["token"]
    world.call("admin", "POST", "/accounts/li.na@zju/reset", {"reason": "Letter lost"})
    assert accept(world, first).status_code == 404


def test_one_kind_of_token_does_not_do_for_another(world: Any) -> None:
    invitation = invite(world).json()["token"]
    assert accept(world, invitation, what="password-resets").status_code == 404
    assert world.client().get("/api/v1/me", headers={"Authorization": f"Bearer {invitation}"}).status_code == 401
    session = world.sign_in("crc").json()["token"]
    assert accept(world, session).status_code == 404
    assert accept(world, "marrow_" + "x" * 43).status_code == 404


def test_a_reset_keeps_the_old_password_until_it_is_used_and_then_ends_every_session(world: Any) -> None:
    assert world.call("crc", "GET", "/me").status_code == 200
    token = world.call("admin", "POST", "/accounts/crc/reset", {"reason": "Forgot it"}).json()["token"]
    assert world.call("crc", "GET", "/me").status_code == 200
    assert accept(world, token, what="password-resets").status_code == 204
    assert world.call("crc", "GET", "/me").status_code == 401
    assert world.sign_in("crc").status_code == 401
    assert world.sign_in("crc", CHOSEN).status_code == 201
    assert accept(world, token, what="password-resets").status_code == 404


def test_a_reset_token_lasts_a_day(world: Any) -> None:
    token = world.call("admin", "POST", "/accounts/crc/reset", {"reason": "Forgot it"}).json()["token"]
    world.clock.forward(hours=24)
    assert accept(world, token, what="password-resets").status_code == 404


@pytest.mark.parametrize("username", ["ADA", "ａｄａ"], ids=["case", "width"])
def test_two_accounts_never_share_a_name_however_it_is_written(world: Any, username: str) -> None:
    assert invite(world, "ada").status_code == 201
    assert invite(world, username).status_code == 409


@pytest.mark.parametrize(
    "username",
    ["a", "a b", "a\u202eb", "a\u200bb", "аdmin", "-ab", "a/b", "a\u0301b", "x" * 65, "ab\n", "ı2", "admin\u00ad"],
)
def test_names_that_could_be_mistaken_for_others_are_refused(world: Any, username: str) -> None:
    answer = invite(world, username)
    assert answer.status_code == 422
    assert username not in answer.text or len(username) < 3


@pytest.mark.parametrize("name", ["", "  ", "a\u202eb", "a\tb", "x" * 201, 5, None])
def test_the_name_of_a_person_is_one_visible_line(world: Any, name: Any) -> None:
    assert world.call("admin", "POST", "/accounts", {"username": "ada", "name": name}).status_code == 422
    assert world.rows("SELECT 1 FROM account WHERE folded = 'ada'") == []


def test_deactivation_ends_everything_at_once_and_is_undone_with_a_reason(world: Any) -> None:
    assert world.call("crc", "GET", "/me").status_code == 200
    label = {"label": "R script", "study": "T1", "days": 30}
    api = world.call("crc", "POST", "/me/tokens", label).json()["token"]
    done = world.call("admin", "POST", "/accounts/crc/deactivate", {"reason": "Left the hospital"})
    assert (done.status_code, done.json()["status"]) == (200, "deactivated")
    assert world.call("crc", "GET", "/me").status_code == 401
    assert world.client().get("/api/v1/me", headers={"Authorization": f"Bearer {api}"}).status_code == 401
    assert world.sign_in("crc").status_code == 401
    again = {"reason": "Once more"}
    assert world.call("admin", "POST", "/accounts/crc/deactivate", again).status_code == 409
    assert world.call("admin", "POST", "/accounts/crc/reset", again).status_code == 409
    assert world.call("admin", "POST", "/accounts/crc/reactivate", {"reason": "Came back"}).status_code == 200
    assert world.call("admin", "POST", "/accounts/crc/reactivate", again).status_code == 409
    assert world.call("crc", "GET", "/me").status_code == 401, "an ended session stays ended"
    assert world.sign_in("crc").status_code == 201
    moves = [row for row in world.trail() if row["action"].startswith("account.") and row["reason"]]
    assert [(row["action"], row["reason"]) for row in moves] == [
        ("account.deactivate", "Left the hospital"),
        ("account.reactivate", "Came back"),
    ]


def test_deactivation_reaches_an_invitation_that_is_still_out(world: Any) -> None:
    token = invite(world).json()["token"]
    world.call("admin", "POST", "/accounts/li.na@zju/deactivate", {"reason": "Not joining"})
    assert accept(world, token).status_code == 404
    back = world.call("admin", "POST", "/accounts/li.na@zju/reactivate", {"reason": "Joining after all"})
    assert back.json()["status"] == "invited"
    assert accept(world, token).status_code == 404


def test_nobody_deactivates_themselves(world: Any) -> None:
    answer = world.call("admin", "POST", "/accounts/admin/deactivate", {"reason": "Enough"})
    assert answer.status_code == 403
    assert world.actions()[-1] == "access.denied"
    assert world.call("admin", "GET", "/me").status_code == 200


@pytest.mark.parametrize("act", ["reset", "deactivate", "reactivate"])
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "Yes", "status": "active"}])
def test_what_is_done_to_an_account_needs_a_reason_and_takes_nothing_else(world: Any, act: str, body: Any) -> None:
    before = world.trail()
    assert world.call("admin", "POST", f"/accounts/crc/{act}", body).status_code == 422
    assert len(world.trail()) == len(before) + 1, "the administrator's login and no more"


def test_an_account_that_is_not_there_is_404(world: Any) -> None:
    assert world.call("admin", "POST", "/accounts/nobody/deactivate", {"reason": "Why not"}).status_code == 404


def test_accounts_are_listed_page_by_page(world: Any) -> None:
    names, cursor = [], ""
    while cursor is not None:
        answer = world.call("admin", "GET", f"/accounts?limit=5{cursor and '&cursor=' + cursor}").json()
        assert len(answer["items"]) <= 5
        names += [row["username"] for row in answer["items"]]
        cursor = answer["next_cursor"]
    assert names == sorted(names)
    assert len(names) == 12
    assert "password" not in answer["items"][0]
    assert world.call("admin", "GET", "/accounts?cursor=forged").status_code == 400


def test_a_password_is_changed_with_the_old_one_and_ends_the_other_sessions(world: Any) -> None:
    elsewhere = world.sign_in("crc").json()["token"]
    changed = world.call("crc", "POST", "/me/password", {"old_password": PASSWORD, "new_password": CHOSEN})
    assert changed.status_code == 204
    assert world.call("crc", "GET", "/me").status_code == 200
    assert world.client().get("/api/v1/me", headers={"Authorization": f"Bearer {elsewhere}"}).status_code == 401
    assert world.sign_in("crc").status_code == 401
    assert world.sign_in("crc", CHOSEN).status_code == 201


@pytest.mark.parametrize(
    ("new", "code"),
    [("tiny key", "too-short"), ("password1234!", "guessable"), (PASSWORD, "unchanged"), ("界" * 400, "too-long")],
)
def test_a_new_password_that_is_not_taken_says_why_and_not_what(world: Any, new: str, code: str) -> None:
    answer = world.call("crc", "POST", "/me/password", {"old_password": PASSWORD, "new_password": new})
    assert answer.status_code == 422
    assert [fault["code"] for fault in answer.json()["errors"]] == [code]
    assert new not in answer.text
    assert world.sign_in("crc").status_code == 201


def test_a_stolen_session_cannot_try_passwords_without_end(world: Any) -> None:
    body = {"old_password": "not the password", "new_password": CHOSEN}
    answers = [world.call("crc", "POST", "/me/password", body).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]
    assert world.actions()[-5:] == ["login.failed"] * 5
