import importlib
from datetime import date

import pytest

from app.clinical.endpoints.engine import evaluate
from app.clinical.endpoints.milestones import History, Milestones
from app.clinical.endpoints.occurrence import Source, occurrence, on
from app.clinical.endpoints.result import CNSR, Status, Why, compile_specs
from app.clinical.endpoints.words import description, sentence, source_words
from tests.clinical.endpoint_cases import Engine

ENGINE = Engine(importlib.import_module)
MILESTONES = Milestones(ENGINE.studies["000"][0])
SPECS = {(spec.code, spec.variant): spec for spec in compile_specs(ENGINE.studies["000"][1], MILESTONES)}
DOSE = Source("dosing", "C1", 1, "start_date", 1)
RELAPSE = Source("response", "C2", 2, "relapse_date", 3, None, (("relapse_site", "MARROW"),))


def result(code, captured, cutoff=None, variant="PRIMARY"):
    return evaluate(SPECS[code, variant], History(MILESTONES, captured, cutoff))


def test_an_event_in_one_sentence():
    found = result(
        "EFS", {"tx_start": [on(date(2024, 1, 12), DOSE)], "heme_relapse": [occurrence("2024-06-01", RELAPSE)]}
    )
    assert sentence(found, "en") == (
        "Event: haematological or extramedullary relapse on 2024-06-01, day 142 from first dose 2024-01-12 "
        "(source: Response.2, C2 visit, relapse_date, revision 3, relapse_site: MARROW)."
    )
    assert "第142天" in sentence(found, "zh")
    assert "来源：response.2，C2访视，relapse_date，第3版" in sentence(found, "zh")
    assert found.sources == (DOSE, RELAPSE)
    assert (found.cnsr, found.flag, found.start_flag) == (0, "", "")
    assert description(found) == "Haematological or extramedullary relapse"


def test_an_imputed_day_is_said_and_flagged():
    found = result("OS", {"enrol": [occurrence("2024-01")], "death": [occurrence("2024")]})
    assert (found.flag, found.start_flag) == ("M", "D")
    assert "(month and day imputed)" in sentence(found, "en")
    assert "（月、日为推定）" in sentence(found, "zh")


def test_a_redated_event_carries_no_flag_of_its_documented_day():
    found = result("EFS", {"tx_start": [on(date(2024, 1, 12))], "failure": [occurrence("2024-03")]}, variant="DAY1")
    assert (found.adt, found.flag) == (date(2024, 1, 12), "")


def test_who_is_censored_at_an_imputed_origin_carries_its_flag():
    found = result("OS", {"enrol": [occurrence("2024-01")]})
    assert (found.adt, found.flag, found.start_flag) == (date(2024, 1, 1), "D", "D")
    assert result("OS", {"enrol": [on(date(2024, 1, 1))]}).flag == ""


def test_of_an_imputed_and_a_complete_date_of_one_day_the_complete_one_is_told():
    whole, month = on(date(2024, 3, 1)), occurrence("2024-03")
    for facts in ([month, whole], [whole, month]):
        found = result("EFS", {"tx_start": [on(date(2024, 1, 12))], "heme_relapse": facts})
        assert (found.adt, found.flag) == (date(2024, 3, 1), "")


def test_a_clamped_contact_keeps_its_source():
    contact = Source("survival", "FU", 1, "contact_date", 1)
    found = result(
        "OS", {"enrol": [on(date(2024, 1, 1))], "last_alive": [on(date(2024, 9, 1), contact)]}, date(2024, 6, 1)
    )
    assert (found.why, found.adt, found.sources) == (Why.AT_CUTOFF, date(2024, 6, 1), (contact,))
    assert (
        sentence(found, "en")
        == "Censored at the cut-off 2024-06-01, day 153 from enrolment 2024-01-01: followed beyond it."
    )
    assert description(found) == "data cut-off"


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (("PRIMARY", "seen 2024-02-01"), Why.LAST_FOLLOW_UP),
        (("PRIMARY", ""), Why.NO_FOLLOW_UP),
        (("HORIZON", "negative 2024-02-01"), Why.LAST_FOLLOW_UP),
        (("HORIZON", "seen 2024-12-01"), Why.AT_HORIZON),
        (("CENSBD", "b 2024-02-01, seen 2024-12-01"), Why.EXTRA),
        (("POP", "b 2024-02-01"), Why.NOT_IN_POPULATION),
        (("PRIMARY", "a ?"), Why.UNDATED),
        (("PRIMARY", "zero ?"), Why.UNDATED_ORIGIN),
        (("SHIFTED", ""), Why.NO_ORIGIN),
        (("PRIMARY", "death 2023-01-01"), Why.ONCE_BEFORE_ORIGIN),
        (("DELAYED", ""), Why.NOT_ENTERED),
        (("DELAYED", "b 2024-03-01, a 2024-02-01"), Why.BEFORE_ENTRY),
        (("SWEPT", "swept 2025-01-01", "2024-12-31"), Why.AT_CUTOFF),
    ],
)
def test_every_reason_has_its_words(case, why):
    found = ENGINE.shape(*case)
    assert found.why is why
    for lang in ("en", "zh"):
        words = sentence(found, lang)
        assert "None" not in words
        assert "{" not in words
    assert isinstance(description(found), str)


def test_every_reason_is_among_those():
    tested = {case[1] for case in test_every_reason_has_its_words.pytestmark[0].args[1]}
    assert tested == set(Why)


def test_a_competing_event_says_so():
    found = ENGINE.shape("RELAPSE", "death 2024-02-01")
    assert sentence(found, "en").startswith("Competing event: death on 2024-02-01, day 32")
    assert sentence(found, "zh").startswith("竞争事件")


def test_a_row_of_a_page_is_named():
    source = Source("mrd", "D30", 1, "sample_date", 2, 4)
    assert source_words(source, "en") == "Mrd, D30 visit, row 4, sample_date, revision 2"
    assert source_words(source, "zh") == "mrd，D30访视，第4行，sample_date，第2版"


def test_the_codes_are_published_for_every_status():
    assert set(CNSR) == set(Status)


def test_entry_is_reported():
    found = ENGINE.shape("DELAYED", "b 2024-02-01, seen 2024-03-01")
    assert found.entry == date(2024, 2, 1)
