"""Write docs/clinical anew from the tables: python -m tests.clinical.rules.write_pages."""

from pathlib import Path

from app.clinical.rules.pages import pages

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "clinical"


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in pages():
            path.unlink()
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(FOLDER)
