"""The two languages of the sites, and which one a caller reads."""

import re
from typing import Literal

Language = Literal["en", "zh"]

_RANGE = re.compile(
    r"\s*(?P<tag>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*[qQ]=(?P<q>0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?"
)
_RANGES = 20
"""More than this many wishes are not read: a browser sends a handful."""


def language(header: str | None) -> Language:
    """The best of en and zh for an `Accept-Language` header (RFC 9110 12.5.4); English when it names neither.

    A header that is not well formed is read as far as it is: it decides words, never what is done.
    """
    best: Language = "en"
    weight = 0.0
    for part in (header or "").split(",")[:_RANGES]:
        found = _RANGE.fullmatch(part)
        if found is None:
            continue
        wish = float(found["q"] or 1)
        primary = found["tag"].split("-")[0].lower()
        if wish > weight and primary in {"en", "zh", "*"}:
            best, weight = ("zh" if primary == "zh" else "en"), wish
    return best


def say(english: str, wanted: Language) -> str:
    """A fixed sentence of Marrow's own in the wanted language; the English one where it has no other."""
    return _CHINESE.get(english, english) if wanted == "zh" else english


_CHINESE = {
    # titles of refusals
    "The request cannot be read": "无法读取该请求",
    "Sign in first": "请先登录",
    "Your role does not allow this": "您的角色无权进行此操作",
    "Not found": "未找到",
    "The present state does not allow this": "当前状态不允许此操作",
    "The plan leaves something open": "迁移方案尚有未解决的问题",
    "The record has changed since you read it": "您读取之后该记录已被修改",
    "The request is too large": "请求过大",
    "This content type is not taken": "不接受此内容类型",
    "Some items cannot be stored": "部分项目无法保存",
    "Say which revision you changed": "请说明您修改的是哪个版本",
    "Too many attempts": "尝试次数过多",
    "Try again in a moment": "请稍后重试",
    "This cannot be signed yet": "目前不能签名",
    "Prove once more who you are": "请再次证明您的身份",
    "Something went wrong on the server": "服务器出现错误",
    "This method is not taken here": "此处不接受该请求方法",
    # details
    "The query has moved on, or this is not possible in its state; read it again": (
        "该质疑的状态已改变，或当前状态不允许此操作，请重新读取"
    ),
    "The page is void and counts for nothing; ask about the one entered instead": (
        "该页面已作废，不再计入；请就重新录入的页面提出质疑"
    ),
    "The form has no item of this name.": "表单中没有该项目。",
    "Name an item of the form.": "请填写表单中的项目。",
    "The page has no such row, or the item does not stand in rows.": "页面中没有该行，或该项目不在行内。",
    "Give the number of a row that is there, and none elsewhere.": "请填写已有的行号；不在行内的项目请勿填写。",
    "Nobody of this name works on queries at the site.": "该中心没有以此用户名处理质疑的人员。",
    "Choose one of queries/people.": "请从 queries/people 中选择。",
    "Nothing is found at this address.": "此地址没有任何内容。",
    "This address does not take that method.": "此地址不接受该请求方法。",
    "The database does not answer. Nothing was stored; try again.": "数据库没有响应。未保存任何内容，请重试。",
    "The database stopped answering. Read again to see whether it was stored.": (
        "数据库中断响应。请重新读取以确认是否已保存。"
    ),
    "A value cannot be stored as it was sent.": "有一个值无法按原样保存。",
    "Something else was stored in the meantime that excludes this.": "期间保存的其他内容与此冲突。",
    "The fault has been logged under the request id. Nothing was stored.": "错误已按请求编号记录。未保存任何内容。",
    "Correct what is listed and send it again.": "请更正所列内容后重新发送。",
    "The body is not valid UTF-8.": "请求正文不是有效的 UTF-8。",
    "The body is not valid JSON.": "请求正文不是有效的 JSON。",
    "Send JSON in UTF-8 without a byte order mark.": "请发送不带字节顺序标记的 UTF-8 JSON。",
    "The body has too many levels.": "请求正文的嵌套层数过多。",
    "Nest at most 32 objects and arrays.": "对象和数组最多嵌套 32 层。",
    "A number in the body is too large or too long.": "正文中有数字过大或过长。",
    "Send whole numbers below 2^63, and decimals of at most 64 digits.": "整数须小于 2^63，小数最多 64 位。",
    "An object names the same thing twice.": "同一对象中有重复的名称。",
    "Send each name once.": "每个名称只发送一次。",
    "The body holds NaN or an infinity.": "正文中含有 NaN 或无穷大。",
    "Leave the item out, or give a missing reason.": "请省略该项目，或给出缺失原因。",
    "A text in the body holds NUL or half a character.": "正文中的文本含有 NUL 或不完整的字符。",
    "Send whole Unicode characters, without U+0000.": "请发送完整的 Unicode 字符，不含 U+0000。",
    "Send the body as application/json.": "请以 application/json 发送正文。",
    "Send the body without a Content-Encoding.": "请勿对正文使用 Content-Encoding。",
    "Send less at a time.": "请减少单次发送的内容。",
    "The address is too long.": "地址过长。",
    "The address holds a character that no address has.": "地址中含有不允许的字符。",
    "A parameter is given more than once.": "某个参数重复出现。",
    "Give it once.": "只需给出一次。",
    "A query parameter is not known here.": "有一个查询参数在此处无效。",
    "The cursor is not one that this list gave out.": "该游标不是此列表所给出的。",
    "Begin again without a cursor.": "请不带游标重新开始。",
    "The list cannot be filtered or sorted by that.": "该列表不能按此筛选或排序。",
    'If-Match takes one tag as ETag gave it, such as "3".': 'If-Match 只接受 ETag 给出的一个标签，例如 "3"。',
    "If-None-Match takes * only.": "If-None-Match 只接受 *。",
    "The Idempotency-Key is 1 to 128 letters, digits or any of _ - . : and no other characters.": (
        "Idempotency-Key 须为 1 至 128 个字母、数字或 _ - . : 字符。"
    ),
    "This Idempotency-Key was used for another request.": "此 Idempotency-Key 已用于另一个请求。",
    "The Content-Length is not a number.": "Content-Length 不是数字。",
    "This server has another name.": "此服务器使用其他名称。",
    # locks
    "This is closed to changes": "此处已关闭，不能更改",
    "This is frozen: its values stay as they are. A data manager can unfreeze it.": (
        "此处已冻结：数值保持不变。数据管理员可以解除冻结。"
    ),
    "This is locked until one person asks for it to be unlocked and a second grants it.": (
        "此处已锁定。须有人申请解锁，并由另一人批准。"
    ),
    "This is hard-locked: nobody writes here until one person asks for it to be unlocked and a second grants it.": (
        "此处已最终锁定：任何人不得写入，直到一人申请解锁并由另一人批准。"
    ),
    "Only a site or the study is hard-locked.": "只有研究中心或整个研究可以最终锁定。",
    "Lock this instead.": "请改为锁定。",
    "What you name is in a state that does not take this step.": "所指对象的当前状态不接受此步骤。",
    "This is not your password. Type the one that you sign in with.": "密码不正确，请输入您登录时使用的密码。",
    "There is nothing here under this name, or nothing that you may see.": "没有此名称的内容，或您无权查看。",
    "There is no such page": "没有该页面",
    "There was no such page then": "当时没有该页面",
    "There is no such page; an address reads visits/UNS.2/forms/adverse_event.3": (
        "没有该页面；地址的写法如 visits/UNS.2/forms/adverse_event.3"
    ),
    "The study has no such visit": "研究中没有该访视",
    "This visit has no such form": "该访视没有此表单",
    "This visit does not repeat; leave the number out": "该访视不重复，请去掉序号",
    "This form does not repeat; leave the number out": "该表单不重复，请去掉序号",
    "There is no such study": "没有该研究",
    "The page has no such item": "该页面没有此项目",
    "Send If-Match with the ETag you read, or If-None-Match: * for a page that is not there yet": (
        "请在 If-Match 中发送您读取的 ETag；页面尚不存在时发送 If-None-Match: *"
    ),
    "Send If-Match with the ETag of the page that you compared.": "请在 If-Match 中发送您核对的页面的 ETag。",
    "Somebody saved this page after you read it; reload it and make your change again": (
        "您读取之后已有人保存该页面，请重新加载后再修改"
    ),
    "The page was saved after you read it; compare it with its source again.": (
        "您读取之后该页面已被保存，请重新与原始资料核对。"
    ),
    "There is no such page yet; send If-None-Match: *": "页面尚不存在，请发送 If-None-Match: *",
    "This user name is refused for a while.": "该用户名暂时被拒绝登录。",
    "Correct these items": "请更正以下项目",
    "Say why these items change": "请说明这些项目更改的原因",
    "Answer these items, or save the page as incomplete": "请填写以下项目，或将页面保存为未完成",
    "This subject number is taken in the study; give another, or none to get the site's next": (
        "该受试者编号在研究中已被使用，请另给编号，或不填以取得本中心的下一个编号"
    ),
    "There is nothing here to sign.": "此处没有可签名的内容。",
    "Pages that are due here are missing or incomplete. Have them completed, then sign.": (
        "此处应有的页面缺失或未完成，请完成后再签名。"
    ),
    "Queries are open here. Have them answered and closed, then sign.": "此处有未关闭的质疑，请回答并关闭后再签名。",
    "This is no longer what you were shown. Ask again what is signed, look at it, and sign that.": (
        "内容与向您展示的已不一致，请重新获取待签内容，核对后再签名。"
    ),
    "Whoever signs gives their own password with each signature.": "签名者每次签名都须输入本人的密码。",
    "Somebody has asked for this to be unlocked already; it waits to be granted.": "已有人申请解锁，正等待批准。",
    "Nobody has asked for this to be unlocked.": "没有人申请解锁。",
    "Whoever asks for something to be unlocked does not grant it. A second person does.": (
        "申请解锁的人不能自己批准，须由另一人批准。"
    ),
    "Queries are open here. Have them answered, or say that it is locked despite them.": (
        "此处尚有未关闭的质疑。请先答复，或说明仍要锁定。"
    ),
    "The plan has no place for some of the answers; look at the migration, and extend the plan": (
        "方案未说明部分数据的去向；请查看该迁移并补充方案"
    ),
    "People have entered since what the version before has no place for; look at the migration": (
        "此后录入的部分数据在原版本中没有位置；请查看该迁移"
    ),
    "The site does not work under the version that the plan leads from": "该中心现行版本不是方案的起始版本",
    "The site works under another version by now": "该中心现行版本已改变",
    "The migration is not in a state that allows this": "该迁移的当前状态不允许此操作",
    "The site approves this version on a later day; it cannot come in force before": (
        "该中心批准此版本的日期尚未到，不能提前生效"
    ),
    # faults of a field
    "This must be given.": "此项必须填写。",
    "A field is not taken here.": "此处不接受某个字段。",
    "This must be a text.": "此项须为文本。",
    "This must be a whole number.": "此项须为整数。",
    "This must be a number.": "此项须为数字。",
    "This must be true or false.": "此项须为 true 或 false。",
    "This must be a date, as 2026-03-31.": "此项须为日期，例如 2026-03-31。",
    "This must be a moment with its offset, as 2026-03-31T08:00:00Z.": (
        "此项须为带时区的时刻，例如 2026-03-31T08:00:00Z。"
    ),
    "This must be an object.": "此项须为对象。",
    "This must be a list.": "此项须为列表。",
    "This must be one of the allowed words.": "此项须为允许的取值之一。",
    "This is too short or too small.": "此项过短或过小。",
    "This is too long or too large.": "此项过长或过大。",
    "This does not have the right form.": "此项格式不正确。",
}
