"""Signing in and out, and how long it lasts."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import pytest
from argon2 import PasswordHasher

PASSWORD = "seven grey herons wade"
WRONG = "not the password at all"


def test_a_session_opens_with_the_password_and_closes_at_once(world: Any) -> None:
    answer = world.sign_in("crc")
    assert answer.status_code == 201
    token = answer.json()["token"]
    assert token.startswith("marrow_")
    bearer = {"Authorization": f"Bearer {token}"}
    me = world.client().get("/api/v1/me", headers=bearer).json()
    assert (me["username"], me["grants"]) == ("crc", [{"study": "T1", "role": "coordinator", "site": "HZ01"}])
    assert world.client().delete("/api/v1/session", headers=bearer).status_code == 204
    assert world.client().get("/api/v1/me", headers=bearer).status_code == 401
    assert world.actions()[-2:] == ["login", "logout"]


def test_a_user_name_is_the_same_however_its_letters_are_written(world: Any) -> None:
    assert world.sign_in("ＣＲＣ").status_code == 201


def test_the_database_never_holds_a_token_or_a_password(world: Any) -> None:
    token = world.sign_in("crc").json()["token"]
    invited = world.call("admin", "POST", "/accounts", {"username": "new", "name": "New"}).json()["token"]
    tables = [row["table_name"] for row in world.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )]  # fmt: skip
    dump = "\n".join(str(row) for table in tables for row in world.rows(f"SELECT t::text FROM {table} t"))  # noqa: S608
    assert sha256(token.encode()).hexdigest() in dump
    for secret in (token, invited, PASSWORD, "$argon2id$v=19$m=19456,t=2,p=1$x"):
        assert secret not in dump
    trail = "\n".join(str(row) for row in world.trail())
    assert "$argon2" not in trail
    assert token not in trail
    assert invited not in trail


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer marrow_" + "A" * 43},
        {"Authorization": "Bearer " + "A" * 5000},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer marrow_é"},
    ],
)
def test_without_a_valid_token_the_answer_is_401_and_says_how(world: Any, headers: dict[str, str]) -> None:
    answer = world.client().get("/api/v1/me", headers={name: value.encode() for name, value in headers.items()})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthenticated"


def test_a_token_in_the_address_opens_nothing(world: Any) -> None:
    token = world.sign_in("crc").json()["token"]
    assert world.client().get(f"/api/v1/me?token={token}").status_code == 422
    assert world.client().get("/api/v1/me", headers={"Cookie": f"token={token}"}).status_code == 401


def test_a_session_that_rests_ends_and_one_in_use_does_not(world: Any) -> None:
    world.call("crc", "GET", "/me")
    for _ in range(3):
        world.clock.forward(minutes=15)
        assert world.call("crc", "GET", "/me").status_code == 200
    world.clock.forward(minutes=20)
    assert world.call("crc", "GET", "/me").status_code == 401


def test_a_session_in_use_ends_after_twelve_hours(world: Any) -> None:
    for _ in range(48):
        assert world.call("crc", "GET", "/me").status_code == 200
        world.clock.forward(minutes=15)
    assert world.call("crc", "GET", "/me").status_code == 401


def test_use_is_noted_once_a_minute_also_when_the_request_is_refused(world: Any) -> None:
    world.call("crc", "GET", "/me")
    seen = "SELECT used_at FROM session_token ORDER BY created_at DESC LIMIT 1"
    first = world.rows(seen)
    world.clock.forward(seconds=50)
    world.call("crc", "GET", "/me")
    assert world.rows(seen) == first
    world.clock.forward(seconds=20)
    assert world.call("crc", "GET", "/accounts").status_code == 403
    assert world.rows(seen) != first


def test_known_unknown_and_closed_accounts_are_answered_in_the_same_bytes(world: Any) -> None:
    world.call("admin", "POST", "/accounts/inv/deactivate", {"reason": "Left the site"})
    world.call("admin", "POST", "/accounts", {"username": "invited", "name": "Not yet"})
    answers = [
        world.sign_in(*pair)
        for pair in (
            ("crc", WRONG),
            ("nobody", WRONG),
            ("inv", PASSWORD),
            ("invited", WRONG),
            ("\u202ecrc", WRONG),
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({stripped(answer) for answer in answers}) == 1


def stripped(answer: Any) -> tuple[Any, ...]:
    """An answer without its own number."""
    body = {name: value for name, value in answer.json().items() if name != "request_id"}
    passing = {"x-request-id", "retry-after", "date"}
    return (
        str(body),
        len(answer.content),
        *sorted((name, value) for name, value in answer.headers.items() if name not in passing),
    )


@pytest.mark.parametrize("username", ["crc", "nobody", "不存在"])
def test_five_failures_refuse_a_name_for_a_while_whether_or_not_somebody_has_it(world: Any, username: str) -> None:
    for _ in range(5):
        assert world.sign_in(username, WRONG).status_code == 401
        world.clock.forward(minutes=1)
    refused = world.sign_in(username, WRONG)
    assert refused.status_code == 429
    assert 590 <= int(refused.headers["Retry-After"]) <= 600
    assert world.sign_in(username).status_code == 429
    world.clock.forward(minutes=11)
    assert world.sign_in(username).status_code == (201 if username == "crc" else 401)


def test_the_refusals_of_a_known_and_an_unknown_name_are_the_same_bytes(world: Any) -> None:
    for username in ("crc", "nobody"):
        for _ in range(5):
            world.sign_in(username, WRONG)
    assert stripped(world.sign_in("crc", WRONG)) == stripped(world.sign_in("nobody", WRONG))


@pytest.mark.parametrize("username", ["crc", "nobody"])
def test_ten_failures_lock_a_name_for_a_day_even_against_the_right_password(world: Any, username: str) -> None:
    for _ in range(10):
        assert world.sign_in(username, WRONG).status_code == 401
        world.clock.forward(minutes=16)
    assert world.sign_in(username).status_code == 429
    world.clock.forward(hours=22)
    assert world.sign_in(username).status_code == 429
    world.clock.forward(hours=2)
    assert world.sign_in(username).status_code == (201 if username == "crc" else 401)


def test_failures_are_recorded_though_refused_and_a_success_clears_them(world: Any) -> None:
    before = len(world.trail())
    for _ in range(3):
        world.sign_in("crc", WRONG)
    world.sign_in("nobody", WRONG)
    assert world.actions()[before:] == ["login.failed"] * 4
    assert [row["failures"] for row in world.rows("SELECT failures FROM account WHERE folded = 'crc'")] == [3]
    for row in world.trail()[before:]:
        assert "nobody" not in str(row)
        assert row["actor_id"] is None
    assert world.sign_in("crc").status_code == 201
    assert [row["failures"] for row in world.rows("SELECT failures FROM account WHERE folded = 'crc'")] == [0]
    for _ in range(4):
        assert world.sign_in("crc", WRONG).status_code == 401
    assert world.sign_in("crc").status_code == 201


def test_an_administrator_ends_a_lock_out(world: Any) -> None:
    for _ in range(5):
        world.sign_in("crc", WRONG)
    assert world.sign_in("crc").status_code == 429
    listed = world.call("admin", "GET", "/accounts").json()["items"]
    assert [row["failures"] for row in listed if row["username"] == "crc"] == [5]
    world.call("admin", "POST", "/accounts/crc/reset", {"reason": "Locked out, called by telephone"})
    assert world.sign_in("crc").status_code == 201


def test_a_burst_of_guesses_does_not_outrun_the_count(world: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: world.sign_in("crc", WRONG).status_code, range(16)))
    assert sorted(answers) == [401] * 5 + [429] * 11


def test_a_hash_made_with_older_parameters_is_renewed_at_login(world: Any) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    world.rows(f"UPDATE account SET password = '{old}' WHERE folded = 'crc' RETURNING 1")  # noqa: S608
    assert world.sign_in("crc").status_code == 201
    stored = world.rows("SELECT password FROM account WHERE folded = 'crc'")[0]["password"]
    assert stored != old
    assert "m=19456,t=2,p=1" in stored
    assert world.sign_in("crc").status_code == 201


def test_own_sessions_are_listed_and_ended_but_nobody_elses(world: Any) -> None:
    world.call("crc", "GET", "/me")
    second = world.sign_in("crc").json()
    listed = world.call("crc", "GET", "/me/sessions").json()["items"]
    assert [row["current"] for row in listed] == [False, True]
    assert listed[0]["token_id"] == second["token_id"]
    path = f"/me/sessions/{second['token_id']}"
    assert world.call("inv", "DELETE", path).status_code == 404
    assert world.call("crc", "DELETE", path).status_code == 204
    assert world.call("crc", "DELETE", path).status_code == 404
    assert len(world.call("crc", "GET", "/me/sessions").json()["items"]) == 1
    assert world.client().get("/api/v1/me", headers={"Authorization": f"Bearer {second['token']}"}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"username": "crc"},
        {"username": "crc", "password": PASSWORD, "role": "administrator"},
        {"username": ["crc"], "password": PASSWORD},
        {"username": 1, "password": PASSWORD},
        {"username": "crc", "password": None},
        {"username": "", "password": ""},
        {"username": "x" * 300, "password": "y" * 2000},
        ["crc", PASSWORD],
        "crc",
    ],
)
def test_a_login_of_the_wrong_shape_is_refused_without_an_echo(world: Any, body: Any) -> None:
    answer = world.client().post("/api/v1/session", json=body)
    assert answer.status_code == 422
    assert PASSWORD not in answer.text


def test_a_password_longer_than_its_bytes_allow_is_simply_wrong(world: Any) -> None:
    assert world.sign_in("crc", "界" * 1000).status_code == 401
