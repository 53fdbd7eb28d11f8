"""A PostgreSQL as production has it: over TCP, with passwords, made by the commands of docs/deployment.md."""

import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core import embedded
from app.core.unprivileged import account
from tests.servers import roomy

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class TcpServer:
    """Its port on the loopback, and the passwords of its three roles."""

    port: int
    admin_password: str
    owner_password: str
    app_password: str

    def _url(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"

    @property
    def admin_url(self) -> str:
        return self._url("postgres", self.admin_password, "postgres")

    @property
    def owner_url(self) -> str:
        return self._url("marrow_owner", self.owner_password, "marrow")

    @property
    def app_url(self) -> str:
        return self._url("marrow_app", self.app_password, "marrow")

    def make_roles(self) -> "subprocess.CompletedProcess[str]":
        """What the administrator does."""
        words = [f"--set=owner_password={self.owner_password}", f"--set=app_password={self.app_password}"]
        command = [
            str(embedded.tool("psql")),
            self.admin_url,
            "--no-psqlrc",
            "--quiet",
            *words,
            "-f",
            "deploy/roles.sql",
        ]
        return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def tcp_server() -> Iterator[TcpServer]:
    """A running server with roles and an empty database, not yet migrated."""
    who = account()
    folder = roomy()
    data = folder / "data"
    made = TcpServer(free_port(), *(secrets.token_hex(16) for _ in range(3)))
    secret = folder / "password"
    secret.write_text(made.admin_password)
    for path in (folder, secret):
        shutil.chown(path, who.uid, who.gid)

    def run(program: str, *words: str) -> None:
        command = [embedded.programs(who) / program, "-D", str(data), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **who.switch)  # type: ignore[call-overload]

    run("initdb", "--username=postgres", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync")
    options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories= -p {made.port}"
    run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
    try:
        done = made.make_roles()
        assert done.returncode == 0, done.stderr
        yield made
    finally:
        run("pg_ctl", "stop", "-w", "-m", "immediate")
        shutil.rmtree(folder)
