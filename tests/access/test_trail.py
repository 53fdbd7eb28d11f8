"""What access leaves behind holds, and what it does takes the same steps for everybody."""

import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from app.audit.verify import verify

PASSWORD = "seven grey herons wade"
CHOSEN = "nine slow barges drift"


def busy(world: Any) -> None:
    """One of every act, and of every refusal."""
    made = world.call("admin", "POST", "/accounts", {"username": "new", "name": "New"}).json()
    world.client().post("/api/v1/invitations/accept", json={"token": made["token"], "password": CHOSEN})
    grant = {"username": "new", "role": "monitor", "site": "HZ01", "reason": "Delegation log"}
    granted = world.call("admin", "POST", "/studies/T1/grants", grant).json()
    world.call("admin", "POST", f"/studies/T1/grants/{granted['grant_id']}/end", {"reason": "Left the trial"})
    world.call("admin", "POST", "/studies/T1/grants", {**grant, "username": "admin"})
    world.call("crc", "POST", "/me/tokens", {"label": "Script", "study": "T1", "days": 9})
    world.call("crc", "POST", "/me/password", {"old_password": "wrong wrong wrong", "new_password": CHOSEN})
    world.call("crc", "POST", "/me/password", {"old_password": PASSWORD, "new_password": CHOSEN})
    world.call("crc", "GET", "/accounts")
    world.call("crc", "GET", "/studies/T2/grants")
    world.sign_in("nobody")
    world.call("admin", "POST", "/accounts/inv/deactivate", {"reason": "Left the site"})
    world.call("admin", "POST", "/accounts/inv/reactivate", {"reason": "Came back"})
    world.call("admin", "POST", "/accounts/inv/reset", {"reason": "Forgot it"})
    world.call("crc", "DELETE", "/session")


def test_the_trail_reproduces_accounts_and_grants_after_every_act_and_refusal(world: Any) -> None:
    busy(world)
    with world.database.reading() as session:
        report = verify(session, world.database.anchors)
    assert report.ok, list(report)
    assert set(world.actions()) >= {
        "account.create", "account.invite", "account.password", "account.deactivate", "account.reactivate",
        "account.reset", "grant.give", "login", "login.failed", "logout", "token.create", "access.denied",
    }  # fmt: skip
    assert set(world.actions("T1")) == {"study.publish", "grant.give", "grant.end"}


def test_a_password_behind_the_applications_back_is_found(world: Any) -> None:
    world.rows("UPDATE account SET password = 'x' WHERE folded = 'crc' RETURNING 1")
    with world.database.reading() as session:
        assert not verify(session, world.database.anchors).ok


def test_a_failed_login_takes_the_same_steps_for_a_name_that_nobody_has(world: Any) -> None:
    steps: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        steps.append(" ".join(statement.split()[:3]))

    event.listen(world.database.engine, "before_cursor_execute", note)
    taken = []
    for username in ("crc", "nobody"):
        steps.clear()
        assert world.sign_in(username, "not the password").status_code == 401
        taken.append(list(steps))
    event.remove(world.database.engine, "before_cursor_execute", note)
    assert taken[0] == taken[1]
    assert any(step.startswith("UPDATE account") for step in taken[1])


def test_no_request_that_begins_after_a_role_was_ended_is_answered(world: Any) -> None:
    """A session that is busy in several threads loses the role between two requests, not after some while."""
    grants = "/studies/T1/grants"
    own = next(row for row in world.call("dm", "GET", grants).json()["items"] if row["username"] == "dm")
    world.call("admin", "GET", "/me")
    answered: list[tuple[float, int]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            began = time.monotonic()
            answered.append((began, world.call("dm", "GET", grants).status_code))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(answered) > 20)
    ended = world.call("admin", "POST", f"{grants}/{own['grant_id']}/end", {"reason": "Left the trial"})
    after = time.monotonic()
    wait_for(lambda: sum(began > after for began, _ in tuple(answered)) > 20)
    stop.set()
    for thread in threads:
        thread.join()
    assert ended.status_code == 200
    assert {status for began, status in answered if began < after} >= {200}
    late = [status for began, status in answered if began > after]
    assert late
    assert set(late) == {404}


def wait_for(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not reached() and time.monotonic() < until:
        time.sleep(0.01)
