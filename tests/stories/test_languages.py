"""Labels and messages follow Accept-Language; what is stored does not."""

from typing import Any

import pytest

from tests.trial import API, Trial

CONSENT = {"consent_date": "2024-01-05", "enrol_date": "2024-01-10"}
ZH = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.1"}


@pytest.mark.parametrize(
    ("header", "chinese"),
    [("zh", True), ("zh-Hans-CN", True), ("en-GB,zh;q=0.5", False), ("en;q=0.2,zh;q=0.8", True), ("fr", False),
     ("", False), ("zh;q=0", False), ("fr, zh;q=0.1", True), ("*;;;q=x", False)],
)  # fmt: skip
def test_a_reader_gets_the_better_of_the_two_languages(trial: Trial, header: str, chinese: bool) -> None:
    refused = trial.nurse.get("/subjects/HZ01-999/casebook", headers={"Accept-Language": header})
    assert refused.headers["Content-Language"] == ("zh" if chinese else "en")
    assert (refused.json()["title"] == "未找到") is chinese


def test_a_casebook_in_chinese_differs_in_words_alone(trial: Trial) -> None:
    subject = trial.nurse.subject()
    trial.nurse.enter(subject, "SCR", "consent", CONSENT)
    trial.nurse.enter(subject, "SCR", "labs", {"sample_date": "2024-01-09", "hb": "21"})
    path = f"/subjects/{subject}/casebook"
    english, chinese = trial.nurse.get(path).json(), trial.nurse.get(path, headers=ZH).json()
    visits = {each["visit"]: each for each in chinese["visits"]}
    assert visits["D30"]["label"] == "第30天"
    assert [form["label"] for form in visits["SCR"]["forms"]] == ["知情同意", "随机", "实验室检查"]
    assert chinese["endpoints"]["OS"]["PRIMARY"]["label"] == "总生存期"
    assert "血红蛋白" in str(chinese["pages"])
    words = {"label", "sentence", "message", "remedy"}

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: bare(part) for name, part in value.items() if name not in words}
        return [bare(part) for part in value] if isinstance(value, list) else value

    assert bare(english) == bare(chinese)
    assert english != chinese


def test_every_refusal_of_a_save_speaks_chinese(trial: Trial) -> None:
    subject = trial.nurse.subject()
    path = f"/subjects/{subject}/visits/SCR/forms/labs"
    page = {"sample_date": "2024-01-09", "hb": "97"}
    trial.nurse.enter(subject, "SCR", "labs", page)

    def put(answers: Any, **headers: str) -> dict[str, Any]:
        return dict(trial.nurse.call("PUT", path, json={"answers": answers}, headers=ZH | headers).json())

    seen = {"If-Match": '"1"'}
    refusals = [put(page), put(page, **{"If-Match": '"7"'})]
    refusals += [put(answers, **seen) for answers in (page | {"hb": "x"}, page | {"hb": "79"}, {"hb": "79"})]
    for told in refusals:
        assert any("\u4e00" <= character <= "\u9fff" for character in told["title"]), told
        for fault in told.get("errors", ()):
            assert any("\u4e00" <= character <= "\u9fff" for character in fault["message"]), fault


def test_the_language_is_not_stored(trial: Trial) -> None:
    """Whoever asks in Chinese and whoever asks in English export the same bytes."""
    subject = trial.nurse.subject()
    trial.nurse.call(
        "PUT", f"/subjects/{subject}/visits/SCR/forms/labs", headers=ZH | {"If-None-Match": "*"},
        json={"answers": {"sample_date": "2024-01-09", "hb": "21"}},
    )  # fmt: skip
    assert trial.nurse.get(API + "/export", headers=ZH).content == trial.nurse.get(API + "/export").content
