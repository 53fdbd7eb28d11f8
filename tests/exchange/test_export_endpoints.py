"""The tables of results, against cases worked out by hand."""

import pytest

from tests.exchange.unzipped import Unzipped, export
from tests.trial import Trial

HEADER = [
    "STUDYID", "SITEID", "USUBJID", "SUBJID", "PARAMCD", "PARAM", "VARIANT", "STARTDT", "STARTDTF", "ADT", "ADTF",
    "AVAL", "CNSR", "STATUS", "EVNTDESC", "CNSDTDSC", "REASON", "ENTRYDT", "SRCDOM", "SRCVAR", "SRCSEQ", "SRCFORM",
    "SRCVISIT", "SRCREV", "SRCROW", "DEFVER", "SUGGESTED", "SENTENCE",
]  # fmt: skip


@pytest.fixture
def cases(trial: Trial) -> Trial:
    """Four subjects: one relapses, one dies in remission in a month, one dies too early, one is only enrolled."""
    for number in range(1, 5):
        trial.nurse.subject(number=f"S{number}")
        consent = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
        trial.nurse.enter(f"S{number}", "SCR", "consent", consent)
    remission = {"assess_date": "2024-02-10", "response": "CR"}
    for subject in ("S1", "S2"):
        trial.nurse.enter(subject, "D30", "response", remission)
    trial.nurse.enter("S1", "UNS.3", "response", {"assess_date": "2024-06-02", "response": "RELAPSE"})
    trial.nurse.enter(
        "S1", "UNS.3", "response", {"assess_date": "2024-06-01", "response": "RELAPSE"}, revision=1, reason="Misread"
    )
    trial.nurse.enter("S2", "LOG", "death", {"death_date": "2024-05"})
    trial.nurse.enter("S3", "LOG", "death", {"death_date": "2023-12-31"})
    return trial


def result(found: Unzipped, subject: str, code: str, variant: str = "PRIMARY") -> dict[str, str]:
    """The filled cells of a result, those of the address left out."""
    (row,) = [
        row
        for row in found.rows("endpoints.csv")
        if (row["SUBJID"], row["PARAMCD"], row["VARIANT"]) == (subject, code, variant)
    ]
    address = {"STUDYID", "SITEID", "USUBJID", "SUBJID", "PARAMCD", "VARIANT"}
    return {name: cell for name, cell in row.items() if cell and name not in address}


def test_the_columns_are_those_of_adtte_and_every_subject_has_every_endpoint(cases: Trial) -> None:
    found = export(cases.nurse)
    assert found.cells("endpoints.csv")[0] == HEADER
    listed = [(row["USUBJID"], row["PARAMCD"], row["VARIANT"]) for row in found.rows("endpoints.csv")]
    assert listed == [
        (f"TRIAL-S{number}", code, variant)
        for number in range(1, 5)
        for code, variant in (("OS", "PRIMARY"), ("CIR", "PRIMARY"), ("CIR", "LAST_ALIVE"))
    ]


def test_an_event_names_the_item_it_was_read_from(cases: Trial) -> None:
    assert result(export(cases.nurse), "S1", "CIR") == {
        "PARAM": "Cumulative incidence of relapse",
        "STARTDT": "2024-02-10",
        "ADT": "2024-06-01",
        "AVAL": "113",  # 19 days left of February, 31, 30, 31, 1 in June; and one
        "CNSR": "0",
        "STATUS": "1",
        "EVNTDESC": "RELAPSE",
        "SRCDOM": "RS",
        "SRCVAR": "ASSESS_DATE",
        "SRCSEQ": "1",
        "SRCFORM": "response",
        "SRCVISIT": "UNS.3",
        "SRCREV": "2",
        "DEFVER": "1",
        "SUGGESTED": "N",
        "SENTENCE": "Event: relapse on 2024-06-01, day 113 from complete remission 2024-02-10"
        " (source: Response, UNS.3 visit, Date assessed, revision 2).",
    }


def test_a_competing_event_has_its_own_code_and_an_imputed_day_its_flag(cases: Trial) -> None:
    found = export(cases.nurse)
    competing = result(found, "S2", "CIR")
    names = ("STARTDT", "ADT", "ADTF", "AVAL", "CNSR", "STATUS", "EVNTDESC", "SRCDOM", "SRCVAR", "SRCFORM", "SRCVISIT")
    assert [competing[name] for name in names] == [
        "2024-02-10", "2024-05-15", "D", "96", "2", "2", "DEATH", "DD", "DEATH_DATE", "death", "LOG",
    ]  # fmt: skip
    assert "day imputed" in competing["SENTENCE"]
    survival = result(found, "S2", "OS")
    assert [survival[name] for name in ("STARTDT", "ADT", "ADTF", "AVAL", "CNSR", "STATUS")] == [
        "2024-01-10", "2024-05-15", "D", "127", "0", "1",
    ]  # fmt: skip


def test_a_censored_result_says_at_what(cases: Trial) -> None:
    found = export(cases.nurse)
    alive = result(found, "S1", "OS")
    names = ("ADT", "AVAL", "CNSR", "STATUS", "EVNTDESC", "REASON", "SRCFORM", "SRCVISIT")
    assert [alive[name] for name in names] == [
        "2024-06-01", "144", "1", "0", "CENSORED", "LAST_FOLLOW_UP", "response", "UNS.3",
    ]  # fmt: skip
    assert alive["CNSDTDSC"]
    never = result(found, "S4", "OS")
    assert (never["ADT"], never["AVAL"], never["CNSR"], never["CNSDTDSC"]) == ("2024-01-10", "1", "1", "TIME ZERO")
    assert never["REASON"] == "NO_FOLLOW_UP"


def test_dates_that_contradict_each_other_give_no_number(cases: Trial) -> None:
    query = result(export(cases.nurse), "S3", "OS")
    assert {"ADT", "AVAL", "CNSR", "STARTDT", "ADTF"}.isdisjoint(query)
    assert (query["STATUS"], query["REASON"]) == ("QUERY", "ONCE_BEFORE_ORIGIN")
    assert (query["SRCFORM"], query["SRCVISIT"], query["SRCREV"]) == ("death", "LOG", "1")


def test_whoever_is_not_in_the_population_has_no_number(cases: Trial) -> None:
    outside = result(export(cases.nurse), "S4", "CIR")
    assert (outside["STATUS"], outside["REASON"]) == ("NA", "NOT_IN_POPULATION")
    assert {"ADT", "AVAL", "CNSR", "STARTDT", "SRCFORM"}.isdisjoint(outside)


def test_at_a_cut_off_later_facts_do_not_count(cases: Trial) -> None:
    found = export(cases.nurse, cutoff="2024-05-14")
    survival = result(found, "S2", "OS")
    assert (survival["STATUS"], survival["ADT"]) == ("1", "2024-05-14")  # a death in May, and by the cut-off
    assert result(found, "S1", "CIR")["STATUS"] == "0"
    assert result(found, "S1", "OS")["ADT"] == "2024-05-14"  # seen in June, so alive at the cut-off
    earlier = export(cases.nurse, cutoff="2024-04-30")
    assert result(earlier, "S2", "OS")["STATUS"] == "0"
    assert result(export(cases.nurse, cutoff="2024-02-09"), "S1", "CIR")["STATUS"] == "NA"


def test_rates_have_their_denominator_and_the_day_of_the_response(cases: Trial) -> None:
    rows = export(cases.nurse).rows("rates.csv")
    assert [(row["SUBJID"], row["RATECD"], row["ANSWER"], row["ADT"]) for row in rows] == [
        ("S1", "CRRATE", "Y", "2024-02-10"),
        ("S2", "CRRATE", "Y", "2024-02-10"),
        ("S3", "CRRATE", "N", ""),
        ("S4", "CRRATE", "N", ""),
    ]
    early = export(cases.nurse, cutoff="2024-01-31").rows("rates.csv")
    assert {row["ANSWER"] for row in early} == {"N"}
    before = export(cases.nurse, cutoff="2024-01-09").rows("rates.csv")
    assert {row["ANSWER"] for row in before} == {"NA"}


def test_what_is_exported_is_what_the_endpoint_route_says(cases: Trial) -> None:
    found = export(cases.manager)
    for row in found.rows("endpoints.csv"):
        told = cases.nurse.endpoint(row["SUBJID"], row["PARAMCD"], row["VARIANT"])
        assert row["STATUS"] == told["status"]
        assert row["ADT"] == told.get("adt", "")
        assert row["AVAL"] == str(told.get("days", ""))
        assert row["SENTENCE"] == told["sentence"]
