"""The study that is measured: where its files are, and what is entered on its pages."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

FORMS = Path(__file__).parent / "forms"
STUDY, ROUNDS, SITE = "BENCH", "ROUNDS", "B01"
ITEMS = 40
"""Items of the page `panel`, two of them computed."""

_ENROLLED = date(2026, 1, 5)


def start_page() -> dict[str, Any]:
    """Answers of the page `start`."""
    return {"enrol_date": _ENROLLED.isoformat(), "arm": "A"}


def panel_page(number: int, seed: int = 0) -> dict[str, Any]:
    """Answers of the page `panel` at the visit of that number: full, and the same for the same arguments."""
    of = Random(seed * 1000 + number)  # noqa: S311 - made-up laboratory values
    values = {f"test{place:02d}": str(Decimal(of.randrange(100, 80000)) / 100) for place in range(1, 30)}
    return values | {
        "visit_date": (_ENROLLED + timedelta(days=7 * number)).isoformat(),
        "response": of.choices(("CR", "NR", "RELAPSE"), (6, 3, 1))[0],
        "transfused": "Y",
        "units_given": of.randrange(1, 4),
        "infection": "Y",
        "infection_site": "Lung, right lower lobe",
        "remark": "Seen by the ward physician; continues as planned",
        "weight": str(Decimal(of.randrange(450, 950)) / 10),
        "height": str(Decimal(of.randrange(1500, 1900)) / 10),
    }
