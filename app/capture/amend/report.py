"""What a dry run says: per subject, which items of which page change and what stays open; never an entered value."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.capture.amend.outlook import Outlook, Step
from app.forms.answers import Problem
from app.forms.definition import Lang
from app.forms.words import CATALOGUE, say
from app.subjects.address import written

#: What keeps a page from being moved and is no matter of its form: (message, remedy) in English and Chinese.
WORDS: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "lost": (
        ("The other version has no place for this answer", "Say in the plan what becomes of it, or clear it"),
        ("另一版本没有此数据的位置", "请在方案中说明其去向，或清除该答案"),
    ),
    "ambiguous": (
        ("Several codes have become this one; which one it was cannot be told", "Correct the answer by hand"),
        ("多个代码已合并为此代码，无法还原", "请人工更正该答案"),
    ),
    "inexact": (
        ("The number cannot be converted back exactly", "Correct the answer by hand"),
        ("该数值无法精确换算回原单位", "请人工更正该答案"),
    ),
    "row-taken": (
        ("The row went with the migration, and another has its number now", "Give the new row another number"),
        ("该行已随迁移取消，其行号已被新行使用", "请将新行移到其他行号"),
    ),
    "locked": (
        ("This is locked, and stays as it is", "Have it unlocked before the migration"),
        ("此处已锁定，保持不变", "请在迁移前解除锁定"),
    ),
    "no-place": (
        ("The version before has no such page at this visit", "Void the page, or keep the version in force"),
        ("原版本在此访视没有该页面", "请作废该页面，或保留现行版本"),
    ),
}  # fmt: skip


def as_json(outlook: Outlook, lang: Lang) -> dict[str, Any]:
    """One subject as an answer shows it."""
    return {
        "subject": outlook.subject["subject_id"],
        "site": outlook.subject["site_id"],
        "left": outlook.left,
        "pages": [_page(step, lang) for step in outlook.steps],
        "follows": [{"what": what, "name": name} for what, name in outlook.follows],
    }


def as_lines(outlook: Outlook) -> Iterator[str]:
    """One subject as a command prints it."""
    yield f"{outlook.subject['subject_id']} ({outlook.subject['site_id']})"
    for step in outlook.steps:
        page = _page(step, "en")
        yield (
            f"  {page['visit']} {page['form']}: version {page['from_version']} -> {page['to_version']}, "
            f"items {', '.join(page['items']) or 'none'}{', becomes incomplete' if step.reopened else ''}"
            f"{f', {step.queries} queries open' if step.queries else ''}"
            f"{f', {step.verified} items to verify again' if step.verified else ''}"
            f"{f', breaks {len(step.signatures)} signatures' if step.signatures else ''}"
        )
        for orphan in page["orphans"]:
            yield f"    retired: {orphan['item']}{_row(orphan['row'])}"
        for problem in page["problems"]:
            yield f"    UNRESOLVED: {problem['item']}{_row(problem['row'])}: {problem['message']}. {problem['remedy']}"
    if outlook.left:
        yield f"  {outlook.left} pages stay under an earlier version"
    for what, name in outlook.follows:
        yield f"  then: {what} {name}".rstrip()


def _row(number: int | None) -> str:
    return "" if number is None else f" (row {number})"


def _page(step: Step, lang: Lang) -> dict[str, Any]:
    place = step.page.place
    return {
        "visit": written(place.visit, place.visit_repeat),
        "form": written(place.form, place.repeat),
        "from_version": step.page.form_version,
        "to_version": step.after.form_version,
        "items": step.items,
        "reopened": step.reopened,
        "queries": step.queries,
        "verified": step.verified,
        "signatures": sorted(map(str, step.signatures)),
        "orphans": [{"item": each.item, "row": each.row} for each in step.orphans],
        "problems": [_problem(each, step, lang) for each in step.problems],
    }


def _problem(problem: Problem, step: Step, lang: Lang) -> dict[str, Any]:
    known = WORDS.get(problem.code)
    if known is not None:
        message, remedy = known[lang == "zh"]
    else:
        message, remedy = say(problem, step.form, lang) if problem.code in CATALOGUE else (problem.code, "")
    return {"item": problem.item, "row": problem.row, "code": problem.code, "message": message, "remedy": remedy}
