"""The sentence and the remedy of each kind of difference, in English and Chinese."""

from collections.abc import Mapping

Both = tuple[str, str]

SENTENCES: Mapping[str, Both] = {
    "version": ("version {before} becomes version {after}", "版本 {before} 改为版本 {after}"),
    "words": ("the words of {key} change", "{key} 的文字改变"),
    "order": ("the order of {key} changes", "{key} 的顺序改变"),
    "mapping": ("the standard name in {key} changes", "{key} 中的标准名称改变"),
    "moved": ("moves from section {before} to section {after}", "从分节 {before} 移到分节 {after}"),
    "section-removed": ("the section goes; its items are told one by one", "分节取消；其项目逐一列出"),
    "added": ("is new", "新增"),
    "page-added": ("the page {after} may be entered here", "此处可填写页面 {after}"),
    "code-added": ("the code {after} is new", "新增代码 {after}"),
    "missing-added": ("the missing reason {after} may be given", "可填写缺失原因 {after}"),
    "unit-added": ("the unit {after} is taken too", "同时接受单位 {after}"),
    "limit-widened": ("{key} goes from {before} to {after}: more is taken", "{key} 由 {before} 放宽为 {after}"),
    "type-widened": ("{before} becomes {after}, which takes every such value", "{before} 改为 {after}，原有值均可接受"),
    "optional": ("is no longer required", "不再必填"),
    "page-optional": ("the page {before} is no longer due, and may be entered", "页面 {before} 不再应填，仍可填写"),
    "repeats": ("may be held again and again", "可以重复"),
    "always-shown": ("is shown always", "始终显示"),
    "window-widened": ("the window goes from {before} to {after}", "时间窗由 {before} 放宽为 {after}"),
    "required": ("is required now", "改为必填"),
    "added-required": ("is new and required", "新增且必填"),
    "limit-narrowed": ("{key} goes from {before} to {after}: less is taken", "{key} 由 {before} 收窄为 {after}"),
    "shown-otherwise": ("is shown on another condition", "显示条件改变"),
    "computed": ("is computed otherwise ({key})", "计算方式改变（{key}）"),
    "computed-removed": ("is no longer computed", "不再计算"),
    "page-due": ("the page {after} is due here", "页面 {after} 在此为应填"),
    "schedule": ("{key} goes from {before} to {after}", "{key} 由 {before} 改为 {after}"),
    "window-narrowed": ("the window goes from {before} to {after}", "时间窗由 {before} 改为 {after}"),
    "definition-changed": ("is defined otherwise ({key})", "定义改变（{key}）"),
    "definition-removed": ("is taken away", "取消"),
    "changed": ("{key} changes", "{key} 改变"),
    "code-removed": ("the code {before} goes", "代码 {before} 取消"),
    "missing-removed": ("the missing reason {before} goes", "缺失原因 {before} 取消"),
    "unit": ("the unit {before} becomes {after}", "单位由 {before} 改为 {after}"),
    "unit-removed": ("the unit {before} goes, or counts otherwise", "单位 {before} 取消，或其换算改变"),
    "type": ("{before} becomes {after}", "类型由 {before} 改为 {after}"),
    "rows": ("moves from {before} to {after}", "从 {before} 移到 {after}"),
    "rows-removed": ("the rows go", "行组取消"),
    "item-removed": ("the item goes", "项目取消"),
    "once-only": ("may no longer be held again", "不再可以重复"),
    "form-once-only": ("no longer repeats", "不再可以重复"),
    "form-removed": ("the form goes", "表单取消"),
    "page-removed": ("the page {before} can no longer be entered here", "此处不再可填写页面 {before}"),
    "visit-removed": ("the visit goes", "访视取消"),
}

_FILL: Both = (
    "Complete pages without it become incomplete, unless the plan gives a missing reason by `[[form.fill]]`",
    "缺少此项的已完成页面将变为未完成，除非方案用 `[[form.fill]]` 填写缺失原因",
)
_FIT: Both = (
    "The dry run names values that no longer fit; say in the plan by `unfit` what becomes of them",
    "试运行会列出不再符合的值；请在方案中用 `unfit` 说明如何处理",
)
_ANEW: Both = (
    "Endpoints are worked out anew where the version comes in force",
    "新版本生效处将重新计算终点",
)
_PAGES: Both = (
    "Say so in the plan: `[[visit]]` with `keep = true`; its pages stay readable and count",
    "请在方案中写明：`[[visit]]` 加 `keep = true`；已有页面仍可读取并计入",
)
_ROWS: Both = (
    "Rename or retire the rows in the plan by `[[form.rows]]`, or retire the item",
    "请在方案中用 `[[form.rows]]` 重命名或停用该行组，或停用该项目",
)

REMEDIES: Mapping[str, Both] = {
    "required": _FILL,
    "added-required": _FILL,
    "limit-narrowed": _FIT,
    "shown-otherwise": (
        "A value left behind on an item not shown becomes a question; nothing is taken away",
        "不再显示的项目上遗留的值将产生疑问，不会被删除",
    ),
    "computed": (
        "Values are worked out anew; what stood before stays in the history",
        "将重新计算；原值保留在历史中",
    ),
    "computed-removed": ("What was computed stays in the history", "已计算的值保留在历史中"),
    "page-due": ("It becomes due for those whose visit is over, too", "访视已过的受试者也将应填此页"),
    "schedule": ("Due dates move for every subject", "所有受试者的应访日期将变动"),
    "window-narrowed": (
        "Visits held within the old window may lie outside the new one",
        "在原时间窗内的访视可能超出新时间窗",
    ),
    "definition-changed": _ANEW,
    "definition-removed": _ANEW,
    "changed": ("Look at what it does before the version comes in force", "生效前请核实其影响"),
    "code-removed": (
        "Map it by `codes` in the plan, or say by `unfit` what becomes of answers that hold it",
        "请在方案中用 `codes` 映射，或用 `unfit` 说明含此代码的数据如何处理",
    ),
    "missing-removed": (
        "Map it by `missing` in the plan, or say by `unfit` what becomes of answers that hold it",
        "请在方案中用 `missing` 映射，或用 `unfit` 说明含此原因的数据如何处理",
    ),
    "unit": (
        "Convert by `convert` in the plan; `keep = true` says that it is the same unit in other letters",
        "请在方案中用 `convert` 换算；若仅写法不同，用 `keep = true` 确认",
    ),
    "unit-removed": ("Convert by `convert` in the plan", "请在方案中用 `convert` 换算"),
    "type": (
        "Say in the plan by `keep = true` that values are read as they stand, and by `unfit` what becomes of others",
        "请在方案中用 `keep = true` 说明按原样读取，并用 `unfit` 说明其余的值如何处理",
    ),
    "rows": _ROWS,
    "rows-removed": _ROWS,
    "item-removed": (
        "Say in the plan what becomes of its answers: `rename`, or `retire = true`",
        "请在方案中说明其数据的去向：`rename` 或 `retire = true`",
    ),
    "once-only": _PAGES,
    "form-once-only": (
        "Say so in the plan: `[[form]]` with `keep = true`; further pages stay readable and count",
        "请在方案中写明：`[[form]]` 加 `keep = true`；已有的重复页面仍可读取并计入",
    ),
    "form-removed": (
        "Say so in the plan: `[[form]]` with `retire = true`; its pages stay readable",
        "请在方案中写明：`[[form]]` 加 `retire = true`；已有页面仍可读取",
    ),
    "page-removed": _PAGES,
    "visit-removed": _PAGES,
}
