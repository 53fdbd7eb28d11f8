"""A second version of the small trial with a page for the visit itself, and all that a schedule can be asked for."""

import shutil
from pathlib import Path

from tests.trial import FORMS

LIBRARY = Path(__file__).parents[2] / "forms" / "library"
VISITS = """
[[fact]]
name = "transfused"
form = "labs"
item = "transfused"
pick = "any"
when = "transfused == 'Y'"

[[visit]]
code = "SCR"
label = { en = "Screening", zh = "筛选" }
forms = ["consent", "arm", "labs"]

[[visit]]
code = "D30"
label = { en = "Day 30", zh = "第30天" }
anchor = "enrol"
target = 30
window = [-7, 7]
forms = ["visit", "labs"]
optional = ["response", "ae"]
[[visit.due]]
form = "response"
when = "here.labs_anc < 0.5"

[[visit]]
code = "T90"
label = { en = "Day 90 of arm A", zh = "A组第90天" }
anchor = "enrol"
target = 90
window = [-7, 7]
when = "subject.arm == 'A'"
forms = ["labs"]
optional = ["response"]
[[visit.due]]
form = "response"
when = "subject.transfused"

[[visit]]
code = "CR30"
label = { en = "Day 30 of a remission", zh = "缓解后第30天" }
anchor = "cr"
occurrence = "each"
target = 30
window = [-5, 5]
forms = ["visit", "response"]

[[visit]]
code = "CR2"
label = { en = "After the second remission", zh = "第二次缓解后" }
anchor = "cr"
occurrence = 2
target = 7
forms = ["labs"]

[[visit]]
code = "UNS"
label = { en = "Unscheduled", zh = "计划外" }
repeating = true
forms = ["visit"]
optional = ["labs", "response"]

[[visit]]
code = "LOG"
label = { en = "Log", zh = "日志" }
optional = ["ae", "death"]

"""


def scheduled(folder: Path) -> Path:
    """The forms of the tests with the library's page of a visit, and a version 2 of the trial; `folder` is new."""
    shutil.copytree(FORMS, folder)
    shutil.copytree(LIBRARY / "visit", folder / "library" / "visit")
    study = folder / "studies" / "TRIAL"
    text = (study / "v1.toml").read_text(encoding="utf-8")
    text = text.replace("version = 1\n", "version = 2\n", 1).replace("ae = 1\n", "ae = 1\nvisit = 1\n", 1)
    text = text.replace("report_day = 365\n", 'report_day = 365\nends = ["death"]\n', 1)
    begins, ends = text.index("[[visit]]"), text.index("[[status]]")
    (study / "v2.toml").write_text(text[:begins] + VISITS.lstrip() + text[ends:], encoding="utf-8")
    return folder
