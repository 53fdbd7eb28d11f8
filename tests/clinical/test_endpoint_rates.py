import importlib
from datetime import date

import pytest

from app.clinical.endpoints.rates import Answer, Proportion, RateResult, proportion, rate
from tests.clinical.endpoint_cases import Engine, load

ENGINE = Engine(importlib.import_module)
RATES = {one.code: one for one in load(ENGINE.definition, "shapes")[2]}


@pytest.mark.parametrize(
    ("code", "text", "cutoff", "answer", "day"),
    [
        ("EVERA", "a 2024-03-01, b 2024-02-01", "", "Y", "2024-02-01"),
        ("EVERA", "a 2024-02-01, b 2024-03-01", "", "Y", "2024-02-01"),
        ("EVERA", "seen 2024-03-01", "", "N", None),
        ("EVERA", "", "", "N", None),
        ("EVERA", "a 2024-03-01", "2024-02-01", "N", None),
        ("EVERA", "", "2023-02-01", "NA", None),
        ("EVERA", "a ?", "", "QUERY", None),
        ("EVERA", "a ?, b 2024-02-01", "", "Y", "2024-02-01"),
        ("EVERA", "zero ?", "", "QUERY", None),
        ("ADAY30", "a 2024-01-31", "", "Y", "2024-01-31"),
        ("ADAY30", "a 2024-02-01", "", "N", None),
        ("ADAY30", "a 2023-12-31", "", "N", None),
        ("ADAY30", "a 2023-12-31, a 2024-01-05", "", "Y", "2024-01-05"),
        ("ADAY30", "seen 2024-01-05", "2024-01-30", "NA", None),
        ("ADAY30", "seen 2024-01-05", "2024-01-31", "N", None),
        ("ADAY30", "death 2024-01-05", "2024-01-30", "N", None),
        ("ADAY30", "a 2024-01-05", "2024-01-30", "Y", "2024-01-05"),
        ("ADAY30", "a ?", "", "QUERY", None),
        ("REL30", "relapse 2024-06, negative 2024-06-30", "", "N", None),
        ("REL30", "relapse 2023-06, negative 2023-06-30", "", "N", None),
        ("REL30", "relapse 2024-01, negative 2024-01-31", "", "QUERY", None),
    ],
)
def test_a_response(code, text, cutoff, answer, day):
    found = rate(RATES[code], ENGINE.history(text, cutoff))
    assert found.answer == answer
    assert found.date == (date.fromisoformat(day) if day else None)
    assert (found.fact is not None) == (answer in {"Y", "QUERY"})


def test_population_counts():
    answers = [Answer.YES, Answer.NO, Answer.NO, Answer.NA, Answer.QUERY]
    found = proportion(RateResult(answer) for answer in answers)
    assert found == Proportion(n=3, responders=1, not_counted=1, queries=1)
    assert found.value == 1 / 3
    assert proportion([]).value is None
