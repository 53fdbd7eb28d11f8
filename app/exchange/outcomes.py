"""Derived results as tables: endpoints with the names of ADTTE, and rates."""

from collections.abc import Iterator

from app.clinical.endpoints.occurrence import Source
from app.clinical.endpoints.rates import rate
from app.clinical.endpoints.result import Result, Status
from app.clinical.endpoints.words import description, sentence
from app.derivations.derive import Derived, derived
from app.derivations.titles import titles
from app.exchange.archive import Member
from app.exchange.cells import SUBJECT, columns
from app.exchange.columns import Column
from app.exchange.tables import Scope

_STATUS = tuple((status.value, status.name.lower()) for status in Status)
_CNSR = (("0", "event"), ("1", "censored"), ("2", "competing event"))

ENDPOINTS = (
    Column("STUDYID", "Study Identifier", "text"),
    Column("SITEID", "Study Site Identifier", "text"),
    Column("USUBJID", "Unique Subject Identifier", "text"),
    Column("SUBJID", "Subject Identifier for the Study", "text"),
    Column("PARAMCD", "Parameter Code", "text"),
    Column("PARAM", "Parameter", "text", text=True),
    Column("VARIANT", "PRIMARY, or the sensitivity analysis", "text"),
    Column("STARTDT", "Time-to-Event Origin Date for Subject", "date"),
    Column("STARTDTF", "Imputation flag of the origin", "text"),
    Column("ADT", "Analysis Date", "date"),
    Column("ADTF", "Analysis Date Imputation Flag: D day, M month and day", "text"),
    Column("AVAL", "Analysis Value: ADT - STARTDT + 1", "integer", unit="days"),
    Column("CNSR", "Censor", "integer", codes=_CNSR),
    Column(
        "STATUS",
        "0 censored, 1 event, 2 competing event; NA: not in the population; QUERY: data to be clarified",
        "text",
        codes=_STATUS,
    ),
    Column("EVNTDESC", "Event or Censoring Description", "text", text=True),
    Column("CNSDTDSC", "Censor Date Description", "text", text=True),
    Column("REASON", "Why there is no number, or why follow-up ended", "text"),
    Column("ENTRYDT", "First day at risk, with delayed entry", "date"),
    Column("SRCDOM", "Source Data", "text"),
    Column("SRCVAR", "Source Variable", "text"),
    Column("SRCSEQ", "Source Sequence Number: the repeat of the page", "integer"),
    Column("SRCFORM", "Form of the deciding item", "text"),
    Column("SRCVISIT", "Visit of the deciding item", "text"),
    Column("SRCREV", "Revision of the page it was read from", "integer"),
    Column("SRCROW", "Row of a repeating section", "integer"),
    Column("DEFVER", "Study version that defines the endpoint", "integer"),
    Column("SUGGESTED", "Y: a suggestion, not an endpoint of the protocol", "yes_no"),
    Column("SENTENCE", "The result in words", "text", text=True),
)
RATES = (
    *columns(*SUBJECT),
    Column("RATECD", "Rate", "text"),
    Column("RATE", "Rate in words", "text", text=True),
    Column("ANSWER", "Y responder, N not, NA not in the population or not followed yet", "text"),
    Column("ADT", "Day of the first response", "date"),
    Column("DEFVER", "Study version that defines the rate", "integer"),
)


def members(scope: Scope) -> Iterator[Member]:
    """endpoints.csv and, where the study has rates, rates.csv."""

    def endpoints() -> Iterator[list[str]]:
        for each in _everybody(scope):
            for result in each.conclusion.results:
                yield [*_subject(scope, each), *_row(each, result)]

    def rates() -> Iterator[list[str]]:
        for each in _everybody(scope):
            for definition in each.build.study.rates:
                found = rate(definition, each.history)
                yield [
                    *_subject(scope, each),
                    definition.code,
                    definition.label.en,
                    found.answer.value,
                    found.date.isoformat() if found.date else "",
                    str(each.build.study.version),
                ]

    yield Member("endpoints.csv", ENDPOINTS, endpoints)
    if scope.build.study.rates:
        yield Member("rates.csv", RATES, rates)


def _everybody(scope: Scope) -> Iterator[Derived]:
    return derived(scope.session, scope.study_id, within=scope.sites, cutoff=scope.cutoff)


def _subject(scope: Scope, each: Derived) -> list[str]:
    number = each.subject["subject_id"]
    return [scope.study_id, each.subject["site_id"], f"{scope.study_id}-{number}", number]


def _row(each: Derived, result: Result) -> list[str]:
    spec = result.spec
    words = description(result).upper()
    censored = result.status is Status.CENSORED
    source = result.fact.sources[-1] if result.fact and result.fact.sources else None
    return [
        spec.code,
        spec.label.en,
        spec.variant,
        result.start.isoformat() if result.start else "",
        result.start_flag,
        result.adt.isoformat() if result.adt else "",
        result.flag,
        "" if result.days is None else str(result.days),
        "" if result.cnsr is None else str(result.cnsr),
        str(result.status),
        "CENSORED" if censored else words,
        words if censored else "",
        str(result.why or ""),
        result.entry.isoformat() if result.entry else "",
        *_source(each, source),
        str(each.build.study.version),
        "Y" if spec.suggested else "N",
        sentence(result, "en", titles(each.build, "en")),
    ]


def _source(each: Derived, source: Source | None) -> list[str]:
    if source is None:
        return [""] * 7
    form = each.build.forms.get(source.form)
    item = form.item(source.item) if form is not None and form.has(source.item) else None
    return [
        form.domain if form else "",
        (item.cdash if item else None) or source.item.upper(),
        str(source.repeat),
        source.form,
        source.visit,
        str(source.revision),
        "" if source.row is None else str(source.row),
    ]
