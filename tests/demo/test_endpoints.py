from collections import Counter

import pytest

from app.clinical.endpoints.result import Status
from app.demo.trials import PLANS
from app.derivations.summary import competes
from tests.demo.build import books, builds, conclusion

TRIALS = list(PLANS)


@pytest.mark.parametrize("trial", TRIALS)
def test_every_endpoint_has_events_and_censored_subjects_and_where_it_competes_competing_events(trial: str):
    counts: dict[str, Counter[Status]] = {}
    competing = set()
    for entries in books(trial):
        for result in conclusion(trial, entries).results:
            if result.spec.variant == "PRIMARY":
                counts.setdefault(result.spec.code, Counter())[result.status] += 1
                if competes(result.spec):
                    competing.add(result.spec.code)
    assert counts.keys() == {endpoint.code for endpoint in builds()[trial].study.endpoints}
    for code, found in counts.items():
        assert found[Status.EVENT], code
        assert found[Status.CENSORED], code
        assert found[Status.COMPETING] or code not in competing, code
        assert not found[Status.QUERY], code


@pytest.mark.parametrize("trial", TRIALS)
def test_the_cohort_reaches_the_statuses_of_its_trial(trial: str):
    statuses = Counter(conclusion(trial, entries).status for entries in books(trial))
    assert sum(statuses.values()) == PLANS[trial].count
    assert {"dead", "off_study"} <= statuses.keys()
    assert statuses["dead"] < PLANS[trial].count / 2


def test_randomised_one_to_one():
    arms: Counter[str] = Counter()
    for entries in books("S1904"):
        arms.update(entry.answers["arm"] for entry in entries if entry.place.form == "randomisation")
    assert abs(arms["HSCT"] - arms["NO_HSCT"]) <= 2
    assert sum(arms.values()) >= 30
