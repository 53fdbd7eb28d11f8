"""The server from the wheel: started, shared, killed, found again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from app.core import embedded, unprivileged
from app.core.embedded import CannotStartError, start
from app.core.provision import Names, libpq
from tests.servers import roomy


@pytest.fixture
def folder() -> Iterator[Path]:
    made = roomy()
    yield made
    subprocess.run(["/bin/rm", "-rf", str(made)], check=True)


def ask(url: str, question: str) -> object:
    with psycopg.connect(libpq(url)) as connection:
        row = connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]


def process_of(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))


def runs(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)  # nobody may have asked how it ended


def another_process(data: Path, then: str) -> "subprocess.Popen[str]":
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom app.core.embedded import start\n"
        f"server = start(Path(sys.argv[1]))\nprint('up', flush=True)\n{then}\n"
    )
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", code, str(data)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


def test_it_starts_with_two_roles_and_a_database_in_order_of_code_points(folder: Path) -> None:
    with start(folder / "pg") as server:
        assert ask(server.app_url, "SELECT current_user") == "marrow_app"
        assert ask(server.owner_url, "SELECT current_user") == "marrow_owner"
        order = "SELECT string_agg(x, ' ' ORDER BY x) FROM unnest(ARRAY['b', 'B', 'a', 'é', '中']) x"
        assert ask(server.app_url, order) == "B a b é 中"
        owned = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        assert ask(server.app_url, owned) == "marrow_owner"
        assert not ask(server.app_url, "SELECT pg_has_role('marrow_app', 'marrow_owner', 'MEMBER')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(server.app_url, "CREATE TABLE mine (x int)")


def test_it_listens_nowhere_but_in_a_folder_of_its_own(folder: Path) -> None:
    with start(folder / "pg") as server:
        assert ask(server.admin_url, "SELECT current_setting('listen_addresses')") == ""
        sockets = Path(str(ask(server.admin_url, "SELECT current_setting('unix_socket_directories')")))
        assert sockets.stat().st_mode & 0o077 == 0


def test_the_last_user_to_leave_stops_it(folder: Path) -> None:
    first, second = start(folder / "pg"), start(folder / "pg")
    process = process_of(first.data)
    first.stop()
    assert ask(second.app_url, "SELECT 1") == 1
    second.stop()
    second.stop()
    assert not runs(process)


def test_another_process_keeps_it_running(folder: Path) -> None:
    other = another_process(folder / "pg", "time.sleep(60)")
    assert other.stdout is not None
    assert other.stdout.readline() == "up\n"
    server = start(folder / "pg")
    process = process_of(server.data)
    server.stop()
    assert runs(process)
    other.terminate()
    other.wait()
    other.stdout.close()
    start(folder / "pg").stop()
    assert not runs(process)


def test_after_its_user_was_killed_it_is_joined_at_once(folder: Path) -> None:
    other = another_process(folder / "pg", "time.sleep(60)")
    assert other.stdout is not None
    assert other.stdout.readline() == "up\n"
    other.kill()
    other.wait()
    other.stdout.close()
    process = process_of((folder / "pg").resolve())
    began = time.monotonic()
    with start(folder / "pg") as server:
        assert time.monotonic() - began < 5  # well below a second where nothing else runs
        assert process_of(server.data).pid == process.pid
    assert not runs(process)  # the killed one holds nothing any more


def test_after_it_was_killed_itself_it_starts_again_with_its_data(folder: Path) -> None:
    with start(folder / "pg") as server:
        with psycopg.connect(libpq(server.owner_url)) as connection:
            connection.execute("CREATE TABLE kept (x int)")
        process_of(server.data).send_signal(signal.SIGKILL)
        with start(folder / "pg") as again:
            assert ask(again.owner_url, "SELECT count(*) FROM kept") == 0


def test_a_watched_server_comes_back_by_itself(folder: Path) -> None:
    with start(folder / "pg") as server:
        server.watch(every=0.1)
        process_of(server.data).send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                assert ask(server.app_url, "SELECT 1") == 1
            except psycopg.OperationalError:
                time.sleep(0.1)
            else:
                return
        pytest.fail("the server did not come back")


def test_a_stale_number_of_another_process_does_not_stand_for_a_server(folder: Path) -> None:
    with start(folder / "pg") as server:
        words = (server.data / "postmaster.pid").read_text().splitlines()
    for left_over in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (server.data / left_over).write_text("\n".join([str(os.getpid()), *words[1:]]))
    with start(folder / "pg") as again:
        assert ask(again.app_url, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_is_no_obstacle(folder: Path) -> None:
    deep = folder / ("a" * 80) / ("with a blank, and a comma " + "b" * 60)
    deep.mkdir(parents=True)
    with start(deep / "var" / "pg") as server:
        assert len(str(server.data)) > 150
        assert ask(server.app_url, "SELECT 1") == 1


def test_a_killed_making_leaves_nothing_half_made(folder: Path) -> None:
    (folder / ".pg-half").mkdir()
    (folder / ".pg-half" / "PG_VERSION").write_text("18")
    with start(folder / "pg") as server:
        assert ask(server.app_url, "SELECT 1") == 1


def test_a_folder_that_holds_something_else_is_not_taken(folder: Path) -> None:
    (folder / "pg").mkdir()
    (folder / "pg" / "thesis.docx").write_text("")
    with pytest.raises(CannotStartError, match="neither empty"):
        start(folder / "pg")


def test_data_of_another_release_of_postgresql_are_not_touched(folder: Path) -> None:
    (folder / "pg").mkdir()
    (folder / "pg" / "PG_VERSION").write_text("16\n")
    with pytest.raises(CannotStartError, match="16"):
        start(folder / "pg")


def test_a_link_to_nowhere_is_named(folder: Path) -> None:
    (folder / "pg").symlink_to(folder / "gone")
    with pytest.raises(CannotStartError, match="Remove the link"):
        start(folder / "pg")


def test_roles_may_have_other_names(folder: Path) -> None:
    with start(folder / "pg", names=Names("o", "a", "d")) as server:
        assert ask(server.app_url, "SELECT current_user || current_database()") == "ad"


def test_a_closed_door_stays_closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, behind a folder closed to others, the data go elsewhere; anybody else owns what they may enter."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    shelters = (folder / "shelter",)
    monkeypatch.setattr(unprivileged, "SHELTERS", shelters)
    told: list[str] = []
    with start(home / "clone" / "var" / "pg", say=told.append) as server:
        assert ask(server.app_url, "SELECT 1") == 1
        as_root = os.geteuid() == 0
        assert len(told) == int(as_root)
        assert server.data.is_relative_to(shelters[0] if as_root else home)
    assert home.stat().st_mode & 0o777 == 0o700
    told.clear()
    with start(home / "clone" / "var" / "pg", say=told.append) as again:
        assert again.data == server.data
    assert told == []


def test_programs_behind_a_closed_door_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "copies").mkdir()
    monkeypatch.setattr(unprivileged, "SHELTERS", (folder / "copies",))
    monkeypatch.setattr(embedded, "may_read", lambda *_, **__: False)
    with start(folder / "pg") as server:
        program = process_of(server.data).exe()
        assert Path(program).is_relative_to(folder / "copies")
        assert ask(server.app_url, "SELECT 1") == 1


def test_the_log_of_the_server_holds_no_values(folder: Path) -> None:
    with start(folder / "pg") as server, psycopg.connect(libpq(server.owner_url), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (x int PRIMARY KEY)")
        for statement in ("SELECT 'CANARY-7f3a'::int", "INSERT INTO t VALUES (770017707), (770017707)"):
            with pytest.raises(psycopg.Error):
                connection.execute(statement.encode())
        told = (server.data / "server.log").read_text()
    assert "CANARY" not in told
    assert "770017707" not in told
