import pytest

from app.forms.diff import compare

CASES = [
    ('en = "Note"', 'en = "Remark"', ("relabelled", "note", "label")),
    ('en = "Female"', 'en = "Woman"', ("relabelled", "sex", "codes.F")),
    ('en = "Events"', 'en = "Incidents"', ("relabelled", "event", "title")),
    ('en = "A page of every kind"', 'en = "A page"', ("relabelled", "", "title")),
    ('domain = "LB"', 'domain = "AE"', ("altered", "", "domain")),
    ('domain = "LB"', 'domain = "LB"\nrepeating = true', ("destructive", "", "repeating")),
    ("max_length = 20", "max_length = 30", ("widened", "note", "max_length")),
    ("max_length = 20", "max_length = 10", ("narrowed", "note", "max_length")),
    ("max_length = 20", "", ("widened", "note", "max_length")),
    ('max = "100"', 'max = "200"', ("widened", "cells", "max")),
    ('max = "100"', 'max = "50"', ("narrowed", "cells", "max")),
    ('max = "100"', "", ("widened", "cells", "max")),
    ('min = "0"\nmax = "1000"', 'min = "0.05"\nmax = "1000"', ("narrowed", "anc", "min")),
    ('min = "0"\nmax = "1000"', 'max = "1000"', ("widened", "anc", "min")),
    ('min = "2000-01-01"\nsoft', 'min = "1990-01-01"\nsoft', ("widened", "seen", "min")),
    ("digits = 2", "digits = 3", ("widened", "anc", "digits")),
    ("required = true\n", "", ("widened", "cells", "required")),
    ('label = { en = "Sex"', 'required = true\nlabel = { en = "Sex"', ("narrowed", "sex", "required")),
    (', "unknown"]', "]", ("destructive", "cells", "missing.unknown")),
    ('missing = ["not_done"]', 'missing = ["not_done", "refused"]', ("widened", "anc", "missing.refused")),
    ('"/uL" = "0.001"', '"/uL" = "0.001", "/nL" = "1"', ("widened", "anc", "units./nL")),
    ('"/uL" = "0.001"', '"/uL" = "0.01"', ("destructive", "anc", "units./uL")),
    ('units = { "/uL" = "0.001" }', "", ("destructive", "anc", "units./uL")),
    ('code = "GUT"', 'code = "LUNG"', ("destructive", "organs", "codes.GUT")),
    ('code = "GUT"', 'code = "LUNG"', ("widened", "organs", "codes.LUNG")),
    ('unit = "10^9/L"', 'unit = "G/L"', ("destructive", "anc", "unit")),
    (
        'id = "at"\nlabel = { en = "Time", zh = "时间" }\ntype = "time"',
        'id = "at"\nlabel = { en = "Time", zh = "时间" }\ntype = "text"',
        ("destructive", "at", "type"),
    ),
    ('soft_max = "50"', 'soft_max = "60"', ("altered", "anc", "soft_max")),
    ("show_when = \"sex == 'F'\"", "", ("altered", "pregnant", "show_when")),
    ("show_when = \"sampled == 'Y'\"", "", ("altered", "event", "show_when")),
    ('formula = "grade * 2"', 'formula = "grade * 3"', ("altered", "doubled", "formula")),
    ("proves_life = true", "", ("altered", "seen", "proves_life")),
    ('id = "note"', 'id = "remark"', ("removed", "note", "")),
    ('id = "note"', 'id = "remark"', ("added", "remark", "")),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES, ids=[" ".join(c[2]) for c in CASES])
def test_each_change_is_named_for_what_it_does_to_stored_answers(page, changed, old, new, expected):
    changes = compare(page, changed((old, new)))
    assert expected in [(str(change.kind), change.item, change.key) for change in changes]
    assert len(changes) == (2 if expected[1] in {"organs", "remark"} or 'id = "note"' in old else 1)


def test_the_same_form_shows_no_change(page, changed):
    assert compare(page, page) == []
    assert compare(page, changed(("version = 1", "version = 2"))) == []
    assert compare(page, changed(('max = "100"', 'max = "100.0"'))) == []


def test_an_item_that_moves_out_of_the_rows_is_destroyed(page, changed):
    begins = '[[section.item]]\nid = "began"\nlabel = { en = "Began", zh = "开始日期" }\ntype = "partial_date"\n'
    moved = changed((begins, ""), ('[[section]]\nid = "event"', begins + '\n[[section]]\nid = "event"'))
    assert [(str(c.kind), c.item, c.key, c.before, c.after) for c in compare(page, moved)] == [
        ("destructive", "began", "section", "event", None)
    ]
