"""The words of verification reports in zh-Hans and en: one table for each closed set of codes.

The titles say what was looked at, the outcome words what came of it; a check's own `detail` holds the
specifics. A code that has no words yet is shown as it is, so that a new check is never lost on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from trust.kernel.report import Indication, Outcome


class Language(StrEnum):
    """The languages reports are shown in, by BCP 47 tag."""

    ZH = "zh-Hans"
    EN = "en"


@dataclass(frozen=True, kw_only=True)
class Words:
    """One thing said in both languages."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        return self.zh if language is Language.ZH else self.en


def _table(rows: Mapping[str, tuple[str, str]]) -> Mapping[str, Words]:
    return MappingProxyType({code: Words(zh=zh, en=en) for code, (zh, en) in rows.items()})


INDICATIONS: Mapping[str, Words] = _table(
    {
        Indication.VALID: ("有效", "Valid"),
        Indication.INVALID: ("无效", "Invalid"),
        Indication.CANNOT_TELL: ("无法判断", "Cannot tell"),
    }
)

OUTCOMES: Mapping[str, Words] = _table(
    {
        Outcome.PASSED: ("通过", "passed"),
        Outcome.FAILED: ("未通过", "failed"),
        Outcome.UNKNOWN: ("无法判断", "cannot tell"),
    }
)

KINDS: Mapping[str, Words] = _table(
    {
        "file": ("文件", "File"),
        "pdf": ("PDF 文件", "PDF document"),
        "pdf-signature": ("PDF 签章", "PDF signature"),
        "timestamp": ("时间戳", "Timestamp"),
        "sd-jwt": ("可选择披露凭证", "Selectively disclosable token"),
        "sd-jwt-vc": ("电子证照凭证", "Licence credential"),
        "status-list": ("证照状态列表", "Status list"),
        "pdf-document-timestamp": ("文档时间戳", "Document timestamp"),
        "bagit": ("归档信息包", "Archive package"),
        "ocfl-object": ("存储对象", "Storage object"),
        "ocfl-root": ("存储根目录", "Storage root"),
        "ledger": ("账本", "Ledger"),
        "signer-journal": ("签名机日志", "The signer's journal"),
        "checkpoint": ("账本检查点", "Ledger checkpoint"),
        "ledger-receipt": ("账本回执", "Ledger receipt"),
        "event-export": ("日志事件导出文件", "Export of ledger events"),
        "ledger-proof": ("账本存在证明", "Ledger inclusion proof"),
        "ceremony-log": ("密钥仪式记录", "Log of a key ceremony"),
        "ledger-event": ("账本事件", "Ledger event"),
        "event-header": ("账本事件的公开部分", "Public part of a ledger event"),
        "proof-bundle": ("证明包", "Proof bundle"),
        "cms": ("电子签名文件", "Signature file"),
        "cms-signature": ("电子签名", "Electronic signature"),
        "certificate": ("数字证书", "Certificate"),
        "crl": ("证书吊销列表", "Certificate revocation list"),
        "ocsp": ("证书状态应答", "OCSP answer"),
        "evidence-record": ("证据记录", "Evidence record"),
        "archive-timestamp": ("归档时间戳", "Archive timestamp"),
    }
)

CHECKS: Mapping[str, Words] = _table(
    {
        # any file
        "format": ("文件类型", "File type"),
        "size": ("大小", "Size"),
        "resources": ("解析所需的资源", "Resources for reading it"),
        "structure": ("结构", "Structure"),
        "document": ("文件可读性", "Readable document"),
        # signatures
        "signature": ("签名", "Signature"),
        "signatures": ("是否有签章", "Presence of signatures"),
        "signing-key": ("签名密钥", "Signing key"),
        "signing-certificate": ("签名证书", "Signing certificate"),
        "sub-filter": ("签名格式", "Signature format"),
        "message": ("签名数据", "Signature message"),
        "content-type": ("签名内容类型", "Signed content type"),
        "digest": ("内容摘要", "Content digest"),
        "content": ("被签名的内容", "Signed content"),
        "issuer": ("签发者", "Issuer"),
        "algorithm": ("算法", "Algorithm"),
        "later-changes": ("签章后的修改", "Changes after signing"),
        # certificates
        "chain": ("证书链", "Certificate chain"),
        "certificate-signature": ("证书签名", "Certificate signatures"),
        "certificate-validity": ("证书有效期", "Certificate validity"),
        "certificate-constraints": ("证书约束", "Certificate constraints"),
        "certificate-usage": ("证书用途", "Certificate usage"),
        "revocation": ("证书吊销情况", "Certificate revocation"),
        # timestamps
        "timestamp": ("时间戳", "Timestamp"),
        "timestamp-order": ("时间戳先后", "Order of timestamps"),
        "imprint": ("时间戳对应的内容", "Stamped content"),
        "hash-tree": ("散列树", "Hash tree"),
        "document-group": ("对象组完整", "Complete group of objects"),
        # credentials
        "disclosures": ("披露的字段", "Disclosed fields"),
        "validity": ("有效期限", "Period of validity"),
        "key-binding": ("持证主体绑定", "Binding to the holder"),
        "credential-type": ("证照类型", "Licence type"),
        "status": ("证照状态", "Licence status"),
        "freshness": ("时效", "Freshness"),
        # packages
        "zip": ("压缩包", "Zip container"),
        "zip-refused": ("压缩包可安全读取", "Zip safe to read"),
        "zip-malformed": ("压缩包结构", "Zip structure"),
        "zip-name-refused": ("压缩包内文件名", "Names in the zip"),
        "zip-duplicate": ("压缩包内重名", "Duplicate names in the zip"),
        "zip-encrypted": ("压缩包加密", "Encryption in the zip"),
        "zip-link": ("压缩包内链接", "Links in the zip"),
        "zip-overlap": ("压缩包条目重叠", "Overlapping zip entries"),
        "zip-size-lie": ("压缩包条目大小", "Sizes of zip entries"),
        "zip-bomb": ("压缩包展开上限", "Limits on unpacking"),
        "bag-declaration": ("信息包声明", "Bag declaration"),
        "bag-fetch": ("信息包自足", "Nothing to be fetched"),
        "bag-manifest": ("信息包清单", "Bag manifests"),
        "bag-algorithm": ("清单算法", "Manifest algorithms"),
        "bag-complete": ("信息包完整", "Completeness of the bag"),
        "bag-tag-manifest": ("标签文件清单", "Tag manifests"),
        "bag-digest": ("材料摘要", "Digests of the materials"),
        "bag-info": ("信息包说明", "Bag information"),
        "ocfl-structure": ("存储对象结构", "Structure of the storage object"),
        "ocfl-inventory": ("存储清单", "Inventories"),
        "ocfl-digest": ("存储内容摘要", "Digests of the content"),
        "ocfl-objects": ("存储对象", "Objects in the storage root"),
        "ocfl-readable": ("存储内容可读", "Content can be read"),
        # proof bundle
        "material": ("附带的证书与吊销资料", "Certificates and revocation data brought along"),
        "signatures-listed": ("列出的签名与文件一致", "Listed signatures are those of the document"),
        "recorded": ("账本载明此文件", "The ledger names this object"),
        "superseded": ("由证据记录替代", "Taken over by an evidence record"),
        # ledger
        "inclusion": ("已记入账本", "Inclusion in the ledger"),
        "members": ("文件内容与清单一致", "Members as the manifest names them"),
        "events": ("事件记录", "Events"),
        "selection": ("与查询条件相符", "Events as asked for"),
        "event-sequence": ("事件序号", "Event sequence"),
        "event-header": ("事件记录", "Event records"),
        "event-content": ("事件内容", "Event content"),
        "entries": ("账本条目", "Ledger entries"),
        "tile": ("散列分块", "Hash tiles"),
        "inclusion-delay": ("记入及时性", "Timely inclusion"),
        "checkpoint": ("检查点", "Checkpoints"),
        "checkpoint-signature": ("检查点签名", "Checkpoint signatures"),
        "published-checkpoint": ("已公布的检查点", "Published checkpoint"),
        "journal-chain": ("日志链完整", "Chain of the journal"),
        "journal-intent": ("签名均有用印意图", "Intents of the signatures"),
        "journal-event": ("签名与账本一致", "Signatures told in the ledger"),
        "journal-complete": ("结果均有签名记录", "Signatures of all outcomes"),
        "journal-anchor": ("账本所记日志位置", "Rows the ledger names"),
        "journal-counter": ("密钥使用计数", "Counters of the keys"),
        "cosignatures": ("见证方联署", "Cosignatures of witnesses"),
        "witnesses": ("见证方所见一致", "Agreement of witnesses"),
        "known-checkpoint": ("此前已知的检查点", "Checkpoints known before"),
        "strange-objects": ("账本存储中无多余文件", "No strange files in the log's store"),
    }
)

# ETSI EN 319 102-1 §5.1.3, and two of our own: SUSPENDED for licences, NO_SIGNATURE for bare documents.
REASONS: Mapping[str, Words] = _table(
    {
        "FORMAT_FAILURE": ("格式不符合规定", "not in the required format"),
        "HASH_FAILURE": ("内容与摘要不符，已被改动", "the content does not match its digest: it was changed"),
        "SIG_CRYPTO_FAILURE": ("签名验证不通过", "the signature does not verify"),
        "SIG_CONSTRAINTS_FAILURE": ("签名不满足要求", "the signature does not meet what was asked"),
        "CHAIN_CONSTRAINTS_FAILURE": (
            "证书链不满足约束",
            "the certificate chain does not meet its constraints",
        ),
        "CERTIFICATE_CHAIN_GENERAL_FAILURE": ("证书链有误", "the certificate chain is at fault"),
        "CRYPTO_CONSTRAINTS_FAILURE": ("算法不被接受", "the algorithm is not accepted"),
        "CRYPTO_CONSTRAINTS_FAILURE_NO_POE": (
            "算法已不被接受，且不能证明签名在此之前作出",
            "the algorithm is no longer accepted and nothing proves an earlier time",
        ),
        "EXPIRED": ("已过期", "expired"),
        "NOT_YET_VALID": ("尚未生效", "not yet valid"),
        "REVOKED": ("已被吊销或注销", "revoked"),
        "SUSPENDED": ("已被暂停", "suspended"),
        "NO_SIGNATURE": ("文件没有签章", "there is no signature"),
        "POLICY_PROCESSING_ERROR": ("策略无法处理", "the policy cannot be processed"),
        "SIGNATURE_POLICY_NOT_AVAILABLE": ("缺少签名策略", "the signature policy is not at hand"),
        "TIMESTAMP_ORDER_FAILURE": ("时间先后不一致", "the times are not in order"),
        "NO_SIGNING_CERTIFICATE_FOUND": (
            "未找到可信的签名证书或密钥",
            "no trusted signing certificate or key",
        ),
        "NO_CERTIFICATE_CHAIN_FOUND": ("未找到通向信任锚的证书链", "no certificate chain to a trust anchor"),
        "NO_CERTIFICATE_CHAIN_FOUND_NO_POE": (
            "未找到通向信任锚的证书链，且不能证明签名时间",
            "no certificate chain to a trust anchor, and nothing proves the time",
        ),
        "NO_POE": ("不能证明签名时间", "nothing proves the time of signing"),
        "REVOKED_NO_POE": (
            "证书已被吊销，且不能证明签名在此之前作出",
            "revoked, and nothing proves an earlier time",
        ),
        "REVOKED_CA_NO_POE": (
            "签发机构证书已被吊销，且不能证明签名在此之前作出",
            "the authority was revoked, and nothing proves an earlier time",
        ),
        "OUT_OF_BOUNDS_NO_POE": (
            "不在证书有效期内，且不能证明签名在有效期内作出",
            "outside the certificate's validity, and nothing proves a time within it",
        ),
        "OUT_OF_BOUNDS_NOT_REVOKED": (
            "不在证书有效期内，未发现吊销",
            "outside the certificate's validity, not known to be revoked",
        ),
        "SIGNED_DATA_NOT_FOUND": ("缺少被签名的内容", "the signed content is missing"),
        "TRY_LATER": ("缺少所需的最新资料，可稍后再试", "current data is missing; it may be possible later"),
        "GENERIC": ("原因未分类", "for a reason not classified"),
    }
)

# What a revision after a signature was for (trust/documents/pdf/changes.py).
CHANGES: Mapping[str, Words] = _table(
    {
        "signature": ("又加一个签章", "a further signature"),
        "document-timestamp": ("加文档时间戳", "a document timestamp"),
        "validation-data": ("加验证资料", "validation data"),
        "form-filling": ("填写表单或批注", "forms filled in or comments"),
        "metadata": ("改文档信息", "document information"),
        "other": ("其他修改", "another change"),
    }
)

FACTS: Mapping[str, Words] = _table(
    {
        "signer": ("签名者", "Signer"),
        "signing_time": ("签名时间", "Signing time"),
        "level": ("签名级别", "Level"),
        "signing_time_source": ("签名时间依据", "Source of the time"),
        "bundle_kind": ("证明对象类型", "Kind of what is proven"),
        "bundle_subject": ("证明对象编号", "Id of what is proven"),
        "made_at": ("证明包制作时间", "Bundle made"),
        "chain": ("证书链", "Certificate chain"),
        "later_revisions": ("签名后的修订", "Revisions after it"),
        "covered_bytes": ("签名覆盖字节数", "Octets covered"),
        "covered": ("签名覆盖范围", "Coverage"),
        "revisions": ("修订次数", "Revisions"),
        "pages": ("页数", "Pages"),
        "reason": ("事由", "Reason"),
        "location": ("地点", "Location"),
        "field": ("签名域", "Signature field"),
        "field_name": ("签名域", "Signature field"),
        "gen_time": ("时间戳时间", "Time stamped"),
        "authority": ("时间戳机构", "Timestamp authority"),
        "accuracy_ms": ("精度（毫秒）", "Accuracy (ms)"),
        "policy": ("策略", "Policy"),
        "serial": ("序列号", "Serial number"),
        "vct": ("证照类型", "Licence type"),
        "status": ("状态", "Status"),
        "valid_from": ("有效期自", "Valid from"),
        "valid_until": ("有效期至", "Valid until"),
        "issued": ("签发时间", "Issued"),
        "key_bound": ("与持证主体绑定", "Bound to the holder"),
        "claims": ("证照内容", "What the licence says"),
        "uri": ("地址", "Address"),
        "entries": ("条目数", "Entries"),
        "bits": ("每条位数", "Bits per entry"),
        "size": ("大小", "Size"),
        "sha256": ("SHA-256 摘要", "SHA-256"),
        "signatures": ("签章数", "Signatures"),
        "sub_filter": ("签名格式", "Signature format"),
        "claimed_name": ("自称的签名者", "Signer as claimed"),
        "claimed_time": ("自称的签名时间", "Time as claimed"),
        "covers_whole_file": ("覆盖整个文件", "Covers the whole file"),
        "certificate_sha256": ("证书摘要", "Certificate SHA-256"),
        "tree_size": ("条目数", "Entries"),
        "cosigned_by": ("见证方", "Cosigned by"),
        "export_id": ("导出编号", "Export"),
        "exported_at": ("导出时间", "Exported"),
        "exported_by": ("导出者", "Exported by"),
        "agency": ("机构", "Agency"),
        "query": ("查询条件", "Asked for"),
        "events": ("事件数", "Events"),
        "redacted": ("内容已删除的事件", "Events with erased content"),
        "gaps": ("未包含的序号", "Places not held"),
        "gap_count": ("间断数", "Gaps"),
        "first_index": ("首个序号", "First place"),
        "last_index": ("末个序号", "Last place"),
        "id": ("标识", "Identifier"),
        "name": ("名称", "Name"),
        "head": ("最新版本", "Newest version"),
        "versions": ("版本数", "Versions"),
        "files": ("文件数", "Files"),
        "octets": ("字节数", "Octets"),
        "algorithm": ("摘要算法", "Digest algorithm"),
        "algorithms": ("摘要算法", "Digest algorithms"),
        "info": ("说明", "Information"),
        "errors": ("错误代码", "Error codes"),
        "warnings": ("警告代码", "Warning codes"),
        "objects": ("对象数", "Objects"),
        "layout": ("存储布局", "Layout"),
        "ceremony": ("仪式编号", "Ceremony"),
        "file_sha256": ("仪式文件摘要 (SHA-256)", "Digest of the ceremony's file (SHA-256)"),
        "begun": ("开始时间", "Begun"),
        "ended": ("结束时间", "Ended"),
        "present": ("在场人员", "Present"),
        "steps": ("步骤", "Steps"),
        "roots": ("根密钥签名数", "Signatures by roots"),
        "origin": ("账本", "Ledger"),
        "root": ("根散列", "Root hash"),
        "index": ("序号", "Index"),
        "leaf_hash": ("叶散列", "Leaf hash"),
        "event_id": ("事件编号", "Event"),
        "latest_inclusion": ("最迟记入时间", "Latest time of inclusion"),
        "detached": ("签名与内容分离", "Detached from the content"),
        "content_size": ("内容大小", "Size of the content"),
        "content_sha256": ("内容的 SHA-256 摘要", "SHA-256 of the content"),
        "signature_algorithm": ("签名算法", "Signature algorithm"),
        "digest_algorithm": ("摘要算法", "Digest algorithm"),
        "imprint_algorithm": ("时间戳摘要算法", "Imprint algorithm"),
        "imprint": ("时间戳摘要值", "Imprint"),
        "subject": ("证书主体", "Subject"),
        "issuer": ("签发者", "Issuer"),
        "key": ("密钥", "Key"),
        "is_authority": ("是否为认证机构", "Is an authority"),
        "key_usage": ("密钥用途", "Key usage"),
        "extended_key_usage": ("扩展密钥用途", "Extended key usage"),
        "path": ("证书路径", "Certification path"),
        "this_update": ("本次更新", "This update"),
        "next_update": ("下次更新", "Next update"),
        "crl_number": ("列表编号", "List number"),
        "base_crl_number": ("基准列表编号", "Number of the base list"),
        "responder": ("应答者", "Responder"),
        "produced_at": ("应答时间", "Answered"),
        "answers": ("对证书的答复", "What it says of certificates"),
        "proven_since": ("可证明自此时已存在", "Proven to exist since"),
        "existed_by": ("可证明不晚于", "Known to exist by"),
        "chains": ("时间戳链数", "Chains"),
        "timestamps": ("归档时间戳数", "Archive timestamps"),
        "digest_algorithms": ("摘要算法", "Digest algorithms"),
        "documents": ("对象数", "Objects"),
        "chain_number": ("第几条链", "Chain"),
        "position": ("链中位置", "Position in its chain"),
        "partial_hash_trees": ("散列列表数", "Lists of hash values"),
    }
)


def indication_text(indication: Indication, language: Language) -> str:
    """The report's one word."""
    return INDICATIONS[indication].in_language(language)


def outcome_text(outcome: Outcome, language: Language) -> str:
    """What a check came to, in a word."""
    return OUTCOMES[outcome].in_language(language)


def kind_text(kind: str, language: Language) -> str:
    """What was verified; the code itself where it has no words."""
    return _say(KINDS, kind, language)


def check_text(code: str, language: Language) -> str:
    """What a check looked at; the code itself where it has no words."""
    return _say(CHECKS, code, language)


def reason_text(sub_indication: str, language: Language) -> str:
    """Why a check did not pass; the code itself where it has no words."""
    return _say(REASONS, sub_indication, language)


def change_text(kind: str, language: Language) -> str:
    """What a later revision was for; the code itself where it has no words."""
    return _say(CHANGES, kind, language)


def fact_text(name: str, language: Language) -> str:
    """A fact's title; its name where it has no words."""
    return _say(FACTS, name, language)


def _say(table: Mapping[str, Words], code: str, language: Language) -> str:
    words = table.get(code)
    return code if words is None else words.in_language(language)
