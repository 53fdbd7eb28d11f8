import importlib
import re
import tomllib
from datetime import date
from pathlib import Path

from app.clinical.dates import Policy
from app.clinical.endpoints.check import check
from app.clinical.endpoints.definition import FILTERS, OPERATORS, Endpoint, Milestone
from app.clinical.endpoints.engine import evaluate
from app.clinical.endpoints.milestones import History, Milestones
from app.clinical.endpoints.occurrence import on
from app.clinical.endpoints.result import CNSR, Why, compile_specs
from app.clinical.endpoints.table import ADDED
from tests.clinical.endpoint_cases import Engine

PAGE = (Path(__file__).parents[2] / "docs" / "endpoints.md").read_text(encoding="utf-8")
EXAMPLES = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)]
ENGINE = Engine(importlib.import_module)


def test_every_operator_key_code_and_column_is_on_the_page():
    words = set(re.findall(r"[A-Za-z_0-9]+", PAGE))
    assert words >= {*OPERATORS, *FILTERS, *Policy, *Why, *ADDED, *Endpoint.model_fields}


def test_the_codes_on_the_page_are_the_codes():
    table = dict(re.findall(r"^\| `(\w+)` \| ?(\d?) \|", PAGE.partition("| Reason")[0], re.MULTILINE))
    assert table == {str(status): "" if code is None else str(code) for status, code in CNSR.items()}


def test_the_worked_example_works():
    (example,) = (one for one in EXAMPLES if "milestone" in one)
    definitions, _, _ = ENGINE.studies["001"]
    added = [Milestone(**entry) for entry in example["milestone"]]
    endpoints = [Endpoint(**entry) for entry in example["endpoint"]]
    assert check([*definitions, *added], endpoints) == []
    milestones = Milestones([*definitions, *added])
    (spec,) = compile_specs(endpoints, milestones)
    facts = {"hsct": [on(date(2024, 3, 1))], "last_da": [on(date(2024, 4, 1))], "heme_relapse": [on(date(2024, 6, 1))]}
    found = evaluate(spec, History(milestones, facts))
    assert (found.start, found.adt, found.days) == (date(2024, 4, 30), date(2024, 6, 1), 33)
