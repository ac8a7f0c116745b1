"""Acts in words for people: the thing and what befell it, in both languages, and the lane a story shows it in."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from trust.verify.texts import Language, Words


class Lane(StrEnum):
    """Where in the picture of a story an act stands."""

    PEOPLE = "people"
    LICENCES = "licences"
    SEALS = "seals"
    ARCHIVE = "archive"
    SUPERVISION = "supervision"


def _words(rows: Mapping[str, tuple[str, str]]) -> Mapping[str, Words]:
    return MappingProxyType({name: Words(zh=zh, en=en) for name, (zh, en) in rows.items()})


LANES: Final = _words(
    {
        Lane.PEOPLE: ("身份", "People"),
        Lane.LICENCES: ("证照", "Licences"),
        Lane.SEALS: ("印章", "Seals"),
        Lane.ARCHIVE: ("档案", "Archive"),
        Lane.SUPERVISION: ("监察", "Supervision"),
    }
)

_THINGS: Final[Mapping[str, tuple[Lane, str, str]]] = MappingProxyType(
    {
        "enrolment": (Lane.PEOPLE, "账号开通链接", "Enrolment link"),
        "agency": (Lane.PEOPLE, "机构", "Agency"),
        "service-item": (Lane.PEOPLE, "服务事项", "Service item"),
        "staff": (Lane.PEOPLE, "工作人员", "Staff"),
        "citizen": (Lane.PEOPLE, "自然人", "Citizen"),
        "organisation": (Lane.PEOPLE, "法人", "Organisation"),
        "agent": (Lane.PEOPLE, "经办人", "Agent"),
        "application": (Lane.PEOPLE, "业务系统", "Application"),
        "session": (Lane.PEOPLE, "登录", "Session"),
        "sign-in": (Lane.PEOPLE, "登录", "Sign-in"),
        "token": (Lane.PEOPLE, "访问令牌", "Access token"),
        "credential": (Lane.PEOPLE, "访问凭据", "Credential"),
        "request": (Lane.PEOPLE, "请求", "Request"),
        "party-certificate": (Lane.PEOPLE, "数字证书", "Party certificate"),
        "certificate": (Lane.PEOPLE, "证书", "Certificate"),
        "ceremony": (Lane.PEOPLE, "密钥仪式", "Ceremony"),
        "root": (Lane.PEOPLE, "离线根签发的内容", "What the offline root signed"),
        "anchor": (Lane.PEOPLE, "外部信任锚", "Trust anchor of others"),
        "key": (Lane.PEOPLE, "密钥", "Key"),
        "signer-journal": (Lane.SUPERVISION, "签名机日志", "Signer's journal"),
        "seal-request": (Lane.SEALS, "印章申请", "Seal application"),
        "seal": (Lane.SEALS, "印章", "Seal"),
        "seal-impression": (Lane.SEALS, "印模", "Seal impression"),
        "seal-authorisation": (Lane.SEALS, "用印授权", "Seal authorisation"),
        "seal-use": (Lane.SEALS, "用印", "Seal use"),
        "seal-batch": (Lane.SEALS, "批量用印", "Seal batch"),
        "signature": (Lane.SEALS, "签名", "Signature"),
        "licence": (Lane.LICENCES, "电子证照", "Licence"),
        "presentation": (Lane.LICENCES, "用证", "Presentation"),
        "usage-log": (Lane.LICENCES, "用证记录", "Usage log"),
        "archive-class": (Lane.ARCHIVE, "档案门类", "Archive class"),
        "record": (Lane.ARCHIVE, "电子档案", "Record"),
        "package": (Lane.ARCHIVE, "档案包", "Archive package"),
        "evidence": (Lane.ARCHIVE, "证据记录", "Evidence"),
        "retrieval-request": (Lane.ARCHIVE, "调阅申请", "Retrieval request"),
        "material": (Lane.ARCHIVE, "档案材料", "Material"),
        "material-reuse": (Lane.ARCHIVE, "材料复用", "Material reuse"),
        "timestamp": (Lane.SUPERVISION, "时间戳", "Timestamp"),
        "timestamps": (Lane.SUPERVISION, "时间戳", "Timestamps"),
        "timestamp-clock": (Lane.SUPERVISION, "时间戳时钟", "Clock of timestamps"),
        "proof-bundle": (Lane.SUPERVISION, "证明包", "Proof bundle"),
        "ledger-event": (Lane.SUPERVISION, "日志事件", "Event"),
        "erasure-orders": (Lane.SUPERVISION, "内容删除令", "Erasure orders"),
        "ledger-witness": (Lane.SUPERVISION, "日志见证方", "Witness of the ledger"),
        "events": (Lane.SUPERVISION, "日志事件", "Events"),
        "events-export": (Lane.SUPERVISION, "日志导出文件", "Export of events"),
        "case": (Lane.SUPERVISION, "办件", "Case"),
        "alert": (Lane.SUPERVISION, "预警", "Alert"),
        "alerts": (Lane.SUPERVISION, "预警", "Alerts"),
    }
)
_BEFELL: Final = _words(
    {
        "abandoned": ("未完成", "abandoned"),
        "acknowledged": ("已处置", "acknowledged"),
        "activated": ("已激活", "activated"),
        "added": ("已增加", "added"),
        "anchored": ("已锚定", "anchored"),
        "approved": ("已批准", "approved"),
        "authorised": ("已授权", "authorised"),
        "cancelled": ("已注销", "cancelled"),
        "change-ordered": ("已下令变更", "change ordered"),
        "changed": ("已变更状态", "changed"),
        "checkpoint-kept": ("已纳入检查点", "checkpoint kept"),
        "closed": ("退出", "closed"),
        "completed": ("已完成", "completed"),
        "content-erased": ("内容已删除", "content erased"),
        "created": ("已建立", "created"),
        "deactivated": ("已停用", "deactivated"),
        "declined": ("未获批准", "declined"),
        "defined": ("已设定", "defined"),
        "delivered": ("已提供", "delivered"),
        "destroyed": ("已销毁", "destroyed"),
        "destruction-ordered": ("已下令销毁", "destruction ordered"),
        "disagreed": ("所见不一致", "disagreed"),
        "erasure-ordered": ("内容已下令删除", "erasure ordered"),
        "exported": ("已导出", "exported"),
        "gathered": ("已归集", "gathered"),
        "given": ("已出具", "given"),
        "granted": ("已授予", "granted"),
        "hash-tree-renewed": ("哈希树已更新", "hash tree renewed"),
        "held": ("已举行", "held"),
        "imported": ("已导入", "imported"),
        "intended": ("已登记", "intended"),
        "invited": ("已邀请", "invited"),
        "issued": ("已签发", "issued"),
        "limit-reached": ("已达上限", "limit reached"),
        "listed": ("被列出", "listed"),
        "logged": ("已存档", "logged"),
        "made": ("已提出", "made"),
        "object-damaged": ("对象已损坏", "object damaged"),
        "opened": ("开始", "opened"),
        "prepared-again": ("重新准备", "prepared again"),
        "presented": ("已出示", "presented"),
        "raised": ("已发出", "raised"),
        "read": ("被查阅", "read"),
        "redeemed": ("已核验使用", "redeemed"),
        "refused": ("被拒绝", "refused"),
        "registered": ("已登记入库", "registered"),
        "reinstated": ("已恢复", "reinstated"),
        "released": ("已解除冻结", "released"),
        "renewed": ("已更新", "renewed"),
        "replaced": ("已变更", "replaced"),
        "replayed": ("已回放", "replayed"),
        "requested": ("已申请", "requested"),
        "resumed": ("继续办理", "resumed"),
        "retained": ("已延长保管", "retained"),
        "revoked": ("已撤销", "revoked"),
        "rewrapped": ("已重新加密", "rewrapped"),
        "shown": ("被查看", "shown"),
        "stamped": ("已加盖时间戳", "stamped"),
        "stopped": ("已停止", "stopped"),
        "suspended": ("已暂停", "suspended"),
        "throttled": ("被限流", "throttled"),
        "timestamp-renewed": ("时间戳已更新", "timestamp renewed"),
        "trusted": ("已信任", "trusted"),
        "unknown": ("无法识别", "unknown"),
        "withdrawn": ("已收回", "withdrawn"),
    }
)
KINDS: Final = _words(
    {
        "staff": ("工作人员", "Staff"),
        "citizen": ("自然人", "Citizen"),
        "application": ("业务系统", "Application"),
        "worker": ("系统后台", "Worker"),
        "anyone": ("未登录者", "Anybody"),
    }
)
SEVERITIES: Final = _words(
    {"notice": ("提示", "Notice"), "warning": ("警告", "Warning"), "urgent": ("紧急", "Urgent")}
)


def act_text(act: str, language: Language) -> str:
    """An act in words; the act itself where it has none."""
    thing, _, befell = act.partition(".")
    known, happened = _THINGS.get(thing), _BEFELL.get(befell)
    if known is None or happened is None:
        return act
    _lane, zh, en = known
    return f"{zh}{happened.zh}" if language is Language.ZH else f"{en} {happened.en}"


def lane_of(act: str) -> Lane:
    """The lane of an act."""
    known = _THINGS.get(act.partition(".")[0])
    return Lane.SUPERVISION if known is None else known[0]


def word(table: Mapping[str, Words], code: str, language: Language) -> str:
    """A code in words; the code itself where it has none."""
    found = table.get(code)
    return code if found is None else found.in_language(language)
