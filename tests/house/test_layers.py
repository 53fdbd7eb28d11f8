"""Who may import whom: the contracts of `.importlinter`, and what they cannot say."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_contracts_hold() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " kept, 0 broken" in done.stdout


EDGE = {
    "app.main",
    "app.access.entrance",
    "app.access.idempotency",  # keeps answers and gives them again
    "app.bench.bare",  # the same framework around hand-written SQL, to measure against
}


def may_know_fastapi(module: str) -> bool:
    return module in EDGE or module.startswith("app.core.") or module.rpartition(".")[2] == "routes"


def test_the_web_is_known_only_at_the_edge() -> None:
    found = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            web = [name for name in names if name.split(".")[0] in {"fastapi", "starlette"}]
            if web and not may_know_fastapi(module):
                found.append(f"{module} imports {web[0]}")
    assert found == []
