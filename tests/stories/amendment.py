"""A second version of the small trial: two pages change, two endpoints and a site come in."""

import shutil
from pathlib import Path

from tests.trial import FORMS

NEW_SITE = """
[[site]]
id = "HZ03"
name = { en = "Hospital HZ03", zh = "医院HZ03" }

[[fact]]
"""
NEW_ENDPOINT = """
[[milestone]]
name = "cr_a"
label = { en = "Remission in arm A", zh = "A组缓解" }
[[milestone.from]]
form = "response"
date = "assess_date"
when = "response == 'CR' && subject.arm == 'A'"

[[endpoint]]
code = "CRA"
label = { en = "Time to remission in arm A", zh = "A组缓解时间" }
origin = "enrol"
outcomes = [{ event = "cr_a" }]
censor = ["last_da"]

[[endpoint]]
code = "EFS"
label = { en = "Event-free survival", zh = "无事件生存期" }
origin = "enrol"
outcomes = [{ event = "relapse" }, { event = "death" }]
censor = ["last_alive"]

[[rate]]
"""
PLATELETS = """
[[section.item]]
id = "plt"
label = { en = "Platelets", zh = "血小板" }
type = "integer"
unit = "10^9/L"
missing = ["not_done"]

[[section.item]]
id = "hb_double"
"""


def amended(folder: Path) -> Path:
    """The forms of the tests with a version 2 of `labs`, of `ae` and of the trial; `folder` must not exist.

    labs: neutrophils leave, platelets come, haemoglobin is no longer taken in g/dL, the formula triples it.
    ae: the code R leaves, H comes, and F means something narrower.
    """
    shutil.copytree(FORMS, folder)
    _rewrite(
        folder / "library" / "labs",
        (_item("anc"), ""),
        ('units = { "g/dL" = "10" }\n', ""),
        ('formula = "hb * 2"', 'formula = "hb * 3"'),
        ('\n[[section.item]]\nid = "hb_double"\n', PLATELETS),
        ('en = "Twice the haemoglobin"', 'en = "Thrice the haemoglobin"'),
    )
    _rewrite(
        folder / "library" / "ae",
        ('{ en = "Fever", zh = "发热" }', '{ en = "Fever above 38.5", zh = "38.5度以上发热" }'),
        (
            '{ code = "R", label = { en = "Rash", zh = "皮疹" } }',
            '{ code = "H", label = { en = "Headache", zh = "头痛" } }',
        ),
        ('missing = ["unknown"]\n', ""),
    )
    _rewrite(
        folder / "studies" / "TRIAL",
        ("labs = 1", "labs = 2"),
        ("ae = 1", "ae = 2"),
        ("\n[[fact]]\n", NEW_SITE),
        ("\n[[rate]]\n", NEW_ENDPOINT),
    )
    return folder


def _item(name: str) -> str:
    text = (FORMS / "library" / "labs" / "v1.toml").read_text(encoding="utf-8")
    start = text.index(f'[[section.item]]\nid = "{name}"')
    return text[start : text.index("[[section.item]]", start + 1)]


def _rewrite(folder: Path, *changes: tuple[str, str]) -> None:
    text = (folder / "v1.toml").read_text(encoding="utf-8").replace("version = 1\n", "version = 2\n", 1)
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    (folder / "v2.toml").write_text(text, encoding="utf-8")
