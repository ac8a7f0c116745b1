"""Proof bundles read a second time: written from docs/proof-bundle.md and from RFCs alone, with nothing of ours.

"The page" below is docs/proof-bundle.md. What this reader leaves out it meets with "cannot tell":

* It has no PDF parser. A document has one signature, held against the octets that its byte range names and against
  the string between them. What follows is understood only where it is validation data and nothing else
  (`only_validation_data`); certificates and CRLs in uncompressed streams serve as helps.
* OCSP answers are not judged. Status lists are: signature, freshness, and the entry of the credential. A status
  other than 0 makes the bundle invalid; a credential past its `exp` leaves it open.
* Paths follow RFC 5280 §6.1 without policies and name constraints (a critical one is refused).
"""

import base64
import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any

from asn1crypto import cms, pem, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate as Cert
from cryptography.x509 import CertificateRevocationList as Crl
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID

PDF, CREDENTIAL, PACKAGE = "application/pdf", "application/dc+sd-jwt", "application/zip"
JSON = "application/json"
OBJECTS = {"document": [PDF], "licence": [CREDENTIAL, PDF], "package": [PACKAGE], "event": [JSON]}
ROLES = """signature application/pkcs7-signature, timestamp application/timestamp-token, page text/html,
    certificate application/pkix-cert, crl application/pkix-crl, ocsp application/ocsp-response,
    status-list application/statuslist+jwt, evidence application/octet-stream, event application/json,
    event-content application/json, ledger-proof text/plain"""
MEDIA_TYPES = dict(re.findall(r"([a-z-]+) ([^,\s]+)", ROLES))
ABOUT = {"signature", "timestamp", "evidence", "event", "event-content", "ledger-proof"}
ACTS = {"seal-use.completed": ["output_sha256"], "record.registered": ["package_sha256"]}
ACTS |= {"licence.issued": ["document_sha256", "credential_sha256"]}
MANIFEST = "format kind made_at members origin subject"
HEADER = "act actor agency at content_commitment event_id format latest_inclusion outcome reason subject"
POLICY = {"sha1": 2013, "sha224": 2031, "sha256": 9999, "sha384": 9999, "sha512": 9999}
SHA = (hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
HASHES = {each.name: each for each in SHA}
UNDERSTOOD = (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.CertificatePolicies)


class Broken(Exception):
    """Something is not what it has to be: invalid. Of a revocation with its time."""


class Unsure(Exception):
    """Something that is needed is missing, or has ended: cannot tell."""


@dataclass(frozen=True)
class Verdict:
    indication: str
    reasons: tuple[str, ...] = ()
    proven: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    path: str
    role: str
    media_type: str
    octets: bytes
    of: tuple[str, ...]
    over: str | None
    byte_range: list[int] | None


def need(condition: object, reason: str) -> None:
    if not condition:
        raise Broken(reason)


def known(condition: object, reason: str) -> None:
    if not condition:
        raise Unsure(reason)


def digest_of(name: str, octets: bytes) -> bytes:
    return hashlib.new(name, octets).digest()


# --- The zip and its manifest (the page, "The zip") ---


def entries(data: bytes) -> list[tuple[str, bytes]]:
    """Local entries one after another from the first octet, the directory right behind them, its end last of all."""
    need(len(data) >= 22 and data[-22:-18] == b"PK\5\6", "no end of the directory")
    *disks, here, total, size, begin, comment = struct.unpack("<4HLLH", data[-18:])
    need(disks == [0, 0] and comment == 0 and here == total and begin + size == len(data) - 22, "directory")
    need(0 < total <= 1001, "number of members")
    found, at, place = [], begin, 0
    for _ in range(total):
        one = struct.unpack("<4s6H3L5H2L", data[at : at + 46])
        crc, plain, named = one[7], one[9], one[10]
        name = data[at + 46 : at + 46 + named]
        need(one[0] == b"PK\1\2" and one[11:14] == (0, 0, 0) and one[16] == place, "directory entry")
        need(one[3:5] == (0, 0) and one[8] == plain, "an entry that is not simply stored")
        need(one[15] >> 28 in {0, 8} and not one[15] & 0x10, "links and directories")
        local = struct.unpack("<4s5H3L2H", data[place : place + 30])  # but for version, time and date
        same = local[:1] + local[2:4] + local[6:] == (b"PK\3\4", 0, 0, crc, plain, plain, named, 0)
        need(same and data[place + 30 : place + 30 + named] == name, "entry and directory differ")
        octets = data[place + 30 + named : place + 30 + named + plain]
        need(len(octets) == plain and zlib.crc32(octets) == crc, "an entry's octets")
        found.append((name.decode("ascii"), octets))
        at, place = at + 46 + named, place + 30 + named + plain
    need(place == begin and at == begin + size, "octets outside entries and directory")
    return found


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parsed(octets: bytes) -> Any:
    """Canonical JSON: nothing that writing it again would change. A float is made what cannot be written."""
    value = json.loads(octets.decode(), parse_float=set, parse_constant=set)
    need(canonical(value) == octets, "not canonical JSON")
    return value


def members_of(data: bytes) -> tuple[dict[str, Any], list[Member]]:
    """The manifest names every other entry, each once, in the order of the zip, and nothing else."""
    (first, octets), *others = entries(data)
    need(first == "yinxin-bundle.json" and len(octets) <= 1 << 20, "the first entry is no manifest")
    manifest = parsed(octets)
    need(" ".join(sorted(manifest)) == MANIFEST and manifest["format"] == "yinxin-bundle/v1", "manifest")
    need(re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", manifest["made_at"]), "made_at")
    datetime.fromisoformat(manifest["made_at"])
    need(isinstance(manifest["origin"], str) and isinstance(manifest["subject"], str), "origin and subject")
    members = [member_of(*each) for each in zip(manifest["members"], others, strict=True)]
    by_path = {member.path: member for member in members}
    need(len(by_path) == len(members) and first not in by_path, "a path twice")
    for member, path in [(each, path) for each in members for path in each.of]:
        need(path in by_path and fits(member, by_path[path].role), f"{member.path} is about {path}")
    types = sorted(member.media_type for member in members if member.role == "object")
    need(types == OBJECTS[manifest["kind"]], "not the objects of its kind")
    return manifest, members


def member_of(given: dict[str, Any], entry: tuple[str, bytes]) -> Member:
    (name, octets), role, of, ranges = entry, given["role"], given.get("of", []), given.get("byte_range")
    also = {"of"} if role in ABOUT else set()
    also |= {"signature": {"byte_range", "field"}, "timestamp": {"over"}}.get(role, set())
    also |= {"byte_range"} | ({"field"} & set(given)) if given.get("over") == "byte-range" else set()
    segment = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
    need(set(given) == {"path", "role", "media_type", "size", "sha256"} | also, f"names of {name}")
    need(re.fullmatch(rf"{segment}(/{segment})*", name) and len(name) <= 200, "path")
    need(given["path"] == name, "members are not in the order of the zip")
    need(role == "object" or given["media_type"] == MEDIA_TYPES.get(role), f"role or media type of {name}")
    need(type(given["size"]) is int and given["size"] == len(octets), f"size of {name}")
    need(given["sha256"] == digest_of("sha256", octets).hex(), f"digest of {name}")
    need(isinstance(of, list) and len(set(of)) == len(of) and (of or "of" not in also), f"of, in {name}")
    need(given.get("over", "object") in {"object", "signature-value", "byte-range"}, f"over, in {name}")
    need(ranges is None or [*map(type, ranges)] == [int] * 4, f"byte range of {name}")
    return Member(name, role, given["media_type"], octets, tuple(of), given.get("over"), ranges)


def fits(member: Member, role: str) -> bool:
    """What a member of a role may be about (the page, the column `of`)."""
    if member.role in {"event-content", "ledger-proof"}:
        return len(member.of) == 1 and role in {"event", "object"}
    wanted = "signature" if member.over == "signature-value" else "object"
    return role == wanted and (len(member.of) == 1 or member.role in {"evidence", "event"})


# --- Keys, certificates, revocation (RFC 5280, docs/algorithm-policy.md) ---


@dataclass(frozen=True)
class Helps:
    """What is known besides trust. Nothing of it counts before it is verified."""

    anchors: tuple[Cert, ...]
    certificates: tuple[Cert, ...]
    crls: tuple[Crl, ...]
    now: datetime

    def plus(self, certificates: Sequence[Any], crls: Sequence[Any]) -> "Helps":
        return replace(self, certificates=(*self.certificates, *certificates), crls=(*self.crls, *crls))


def certificate(octets: bytes) -> Cert:
    """One certificate, DER or (as an anchor) PEM, that can be read as a whole (RFC 5280 §4.1.1.2)."""
    der = pem.unarmor(octets)[2] if octets[:5] == b"-----" else octets
    plain, found = asn1_x509.Certificate.load(der, strict=True), x509.load_der_x509_certificate(der)
    same = plain["tbs_certificate"]["signature"].dump() == plain["signature_algorithm"].dump()
    need(same and found.subject and found.issuer and found.extensions is not None, "no certificate")
    return found


def readable(load: Callable[[bytes], Any], found: Sequence[bytes]) -> list[Any]:
    """Of helps that no role promises, those that can be read: what cannot helps nobody, and harms nobody."""
    return [
        each for each in (outcome(partial(load, der)) for der in found) if not isinstance(each, Exception)
    ]


def trusted(digest: Any, key: Any, at: datetime) -> None:
    """The algorithm policy: an end that has passed, or an algorithm that is not in it, leaves the answer open."""
    size = key.key_size if isinstance(key, rsa.RSAPublicKey) else 3072
    curve = getattr(key, "curve", None)
    right = curve is None or isinstance(curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1)
    known(right and size >= 1024 and (digest is None or digest in POLICY), "an algorithm outside the policy")
    of_key = 9999 if key is None else 2013 if size < 2048 else 2031 if size < 3072 else 2036
    year = min(of_key, POLICY.get(str(digest), 9999))
    end = datetime(2013, 12, 31, tzinfo=UTC) if year == 2013 else datetime(year, 1, 1, tzinfo=UTC)
    known(at < end, "an algorithm that is no longer trusted")


def extension(of: Any, kind: Any) -> Any:
    return next((each.value for each in of.extensions if isinstance(each.value, kind)), None)


def issued(issuer: Cert, subject: Cert, below: int, at: datetime) -> bool:
    """RFC 5280 §6.1.4: a CA that may sign certificates, with room for what is below it, did sign this one."""
    basic, usage = extension(issuer, x509.BasicConstraints), extension(issuer, x509.KeyUsage)
    if not basic or not basic.ca or (usage and not usage.key_cert_sign):
        return False
    digest = subject.signature_hash_algorithm
    try:
        subject.verify_directly_issued_by(issuer)
        trusted(digest and digest.name, issuer.public_key(), at)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, Unsure):
        return False
    return bool(basic.path_length is None or basic.path_length >= below)


def paths(leaf: Cert, helps: Helps, at: datetime, below: int = 0) -> Iterator[list[Cert]]:
    """Every path from a certificate to an anchor, whose certificates (but the anchor) are good at the moment."""
    good = leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc and below <= 6
    if not good or any(each.critical and not isinstance(each.value, UNDERSTOOD) for each in leaf.extensions):
        return
    for issuer in dict.fromkeys((*helps.anchors, *helps.certificates)):
        if issuer.subject != leaf.issuer or issuer == leaf or not issued(issuer, leaf, below, at):
            continue
        above = [[issuer]] if issuer in helps.anchors else paths(issuer, helps, at, below + 1)
        yield from ([leaf, *rest] for rest in above)


def unrevoked(path: list[Cert], helps: Helps, until: datetime, control: datetime) -> None:
    """Each certificate by a list of its own issuer that covers the control time (RFC 5280 §6.3).

    A revocation later than `until` touches nothing. A list issued after the end of a certificate does not clear it:
    entries may have been dropped.
    """
    for subject, issuer in pairwise(path):
        covered = False
        for crl in helps.crls:
            begin, end = crl.last_update_utc, crl.next_update_utc
            if begin > helps.now or not signed_list(crl, issuer, control):
                continue
            entry = crl.get_revoked_certificate_by_serial_number(subject.serial_number)
            if entry is not None and entry.revocation_date_utc <= until:
                raise Broken(f"revoked: {name_of(subject)}", entry.revocation_date_utc)
            covered |= begin <= control < (end or begin) and begin <= subject.not_valid_after_utc
        known(covered, f"no current CRL tells of {name_of(subject)}")


def signed_list(crl: Any, issuer: Cert, control: datetime) -> bool:
    """One with a critical extension, or whose algorithm is no longer trusted, is not heard."""
    usage, digest = extension(issuer, x509.KeyUsage), crl.signature_hash_algorithm
    try:
        trusted(digest and digest.name, issuer.public_key(), control)
        right = crl.issuer == issuer.subject and (not usage or usage.crl_sign)
        right = right and not any(each.critical for each in crl.extensions)
        return bool(right and crl.is_signature_valid(issuer.public_key()))
    except (UnsupportedAlgorithm, Unsure, ValueError, TypeError):
        return False


def believed(leaf: Cert, helps: Helps, moment: datetime, until: datetime, control: datetime) -> None:
    """A path to an anchor whose certificates are good at the moment and were not revoked."""
    reason: Exception = Unsure(f"no path to an anchor from {name_of(leaf)}")
    for path in paths(leaf, helps, moment):
        try:
            return unrevoked(path, helps, until, control)
        except (Broken, Unsure) as found:
            reason = found
    raise reason


def name_of(subject: Cert) -> str:
    names = subject.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else subject.subject.rfc4514_string()


def may_sign(leaf: Cert) -> None:
    """RFC 5280 §4.2.1.3: digitalSignature or nonRepudiation; an authority's timestamping key signs no documents."""
    usage, purposes = extension(leaf, x509.KeyUsage), extension(leaf, x509.ExtendedKeyUsage)
    need(not purposes or set(purposes) - {Eku.TIME_STAMPING, Eku.OCSP_SIGNING}, "a key for something else")
    need(not usage or usage.digital_signature or usage.content_commitment, "a key for something else")


# --- Signatures and timestamps (RFC 5652, RFC 5035, RFC 3161) ---


@dataclass(frozen=True)
class Signed:
    """A SignedData with one signer, whose signature is true; the certificate is not yet believed."""

    leaf: Cert
    value: bytes
    digest: str
    helps: Helps
    content: bytes
    tokens: tuple[bytes, ...]


def signed_data(der: bytes, helps: Helps, content_type: str, detached: bytes | None = None) -> Signed:
    info = cms.ContentInfo.load(der, strict=True)
    need(info["content_type"].native == "signed_data", "not a SignedData")
    data, inside = info["content"], info["content"]["encap_content_info"]
    need(inside["content_type"].native == content_type and len(data["signer_infos"]) == 1, "type or signers")
    need((detached is None) == (inside["content"].native is not None), "content inside")
    (signer,), content = data["signer_infos"], bytes(inside["content"]) if detached is None else detached
    certificates = readable(certificate, [each.chosen.dump() for each in data["certificates"] or []])
    lists = [each.chosen.dump() for each in data["crls"] or [] if each.name != "other"]
    leaf = next((each for each in certificates if is_signer(signer["sid"], each)), None)
    if leaf is None:
        raise Unsure("the signer's certificate is missing")
    digest = signer["digest_algorithm"]["algorithm"].native
    check_attributes(signer, leaf, content_type, digest_of(digest, content))
    signed, value = b"\x31" + signer["signed_attrs"].dump()[1:], signer["signature"].native  # RFC 5652 §5.4
    named = signer["signature_algorithm"]["algorithm"].native
    need(named in {"rsassa_pkcs1v15", "ed25519", f"{digest}_ecdsa", f"{digest}_rsa"}, "signature algorithm")
    verify(leaf.public_key(), value, signed, digest)
    tokens = (each for each in signer["unsigned_attrs"] or [] if each["type"].dotted.endswith(".9.16.2.14"))
    stamps = tuple(token.dump() for each in tokens for token in each["values"])
    helps = helps.plus(certificates, readable(x509.load_der_x509_crl, lists))
    return Signed(leaf, value, digest, helps, content, stamps)


def is_signer(sid: Any, leaf: Cert) -> bool:
    if sid.name != "issuer_and_serial_number":
        key = extension(leaf, x509.SubjectKeyIdentifier)
        return bool(key and key.digest == sid.chosen.native)
    same = sid.chosen["issuer"].dump() == leaf.issuer.public_bytes()
    return bool(same and sid.chosen["serial_number"].native == leaf.serial_number)


def check_attributes(signer: Any, leaf: Cert, content_type: str, digest: bytes) -> None:
    """RFC 5652 §11.1, §11.2 and RFC 5035 §3: each once, with one value; the certificate's digest is signed too."""
    values = {each["type"].native: each["values"] for each in signer["signed_attrs"] or []}
    need(values and len(values) == len(signer["signed_attrs"]), "signed attributes")
    known("signing_certificate_v2" in values, "no attribute signing-certificate-v2")
    need([each.native for each in values["content_type"]] == [content_type], "content type that was signed")
    need([each.native for each in values["message_digest"]] == [digest], "message digest")
    first = values["signing_certificate_v2"][0]["certs"][0]
    expected = digest_of(first["hash_algorithm"]["algorithm"].native, leaf.public_bytes(Encoding.DER))
    need(first["cert_hash"].native == expected, "another signing certificate")


def verify(key: Any, value: bytes, data: bytes, digest: str) -> None:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(value, data)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, data, ec.ECDSA(HASHES[digest]))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(value, data, padding.PKCS1v15(), HASHES[digest])
        else:
            raise Unsure("a key that this reader does not know")
    except InvalidSignature:
        raise Broken("the signature is not by its key") from None


def stamped(der: bytes, over: Callable[[str], bytes], helps: Helps, control: datetime) -> datetime:
    """RFC 3161: the time of a token over what has this digest, good at the control time.

    The authority's certificate has to be good at the token's own time and still at the control time, by which
    alone the token is known to have existed (docs/evidence.md).
    """
    signed = signed_data(der, helps, "tst_info")
    info = tsp.TSTInfo.load(signed.content, strict=True)
    used = info["message_imprint"]["hash_algorithm"]["algorithm"].native
    need(info["message_imprint"]["hashed_message"].native == over(used), "a timestamp over something else")
    purposes = [each for each in signed.leaf.extensions if isinstance(each.value, x509.ExtendedKeyUsage)]
    right = purposes and purposes[0].critical and list(purposes[0].value) == [Eku.TIME_STAMPING]
    need(right and info["version"].native == "v1", "no timestamping key, or another version")
    time: datetime = info["gen_time"].native
    known(time <= control, "a timestamp from a time to come")
    for digest in (used, signed.digest):
        trusted(digest, signed.leaf.public_key(), control)
    known(any(paths(signed.leaf, signed.helps, time)), "no path from the timestamp's authority to an anchor")
    try:
        believed(signed.leaf, signed.helps, control, control, control)
    except Broken as found:
        known(found.args[1] <= time, "the authority was revoked after its timestamp")
        raise
    return time


# --- Evidence records (RFC 4998) ---


def der_items(octets: bytes) -> list[tuple[int, bytes, bytes]]:
    """The elements one after another: tag, content, the whole. Only what DER allows."""
    found, at = [], 0
    while at < len(octets):
        tag, size, begin = octets[at], octets[at + 1], at + 2
        if size & 0x80:
            begin += size & 0x7F
            size = int.from_bytes(octets[at + 2 : begin], "big")
            need(size >= 128 and octets[at + 2], "a length that is not DER")
        need(begin + size <= len(octets), "an element that is cut off")
        found.append((tag, octets[begin : begin + size], octets[at : begin + size]))
        at = begin + size
    return found


def sequence(content: bytes) -> bytes:
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return b"\x30" + (size if len(content) < 128 else bytes([0x80 | len(size)]) + size) + content


def inner(octets: bytes, tag: int = 0x30) -> list[tuple[int, bytes, bytes]]:
    """The elements inside the one element that these octets are."""
    ((found, content, _),) = der_items(octets)
    need(found == tag, "another element than RFC 4998 has here")
    return der_items(content)


def archive_timestamp(der: bytes) -> tuple[str, list[list[bytes]] | None, bytes]:
    """Its digest (RFC 4998 §4.1: where none is named, the token's), its reduced hash tree, its token."""
    *optional, (_, _, token) = inner(der)
    tags = [tag for tag, _, _ in optional]
    need(tags == sorted(set(tags)) and set(tags) <= {0xA0, 0xA1, 0xA2}, "an archive timestamp")
    by_tag = {tag: whole for tag, _, whole in optional}
    tree = None
    if 0xA2 in by_tag:
        tree = [[value for _, value, _ in inner(each)] for _, _, each in inner(by_tag[0xA2], 0xA2)]
    content = cms.ContentInfo.load(token, strict=True)["content"]["encap_content_info"]["content"]
    imprint = tsp.TSTInfo.load(bytes(content))["message_imprint"]
    used = imprint["hash_algorithm"]["algorithm"]
    same = 0xA0 not in by_tag or inner(by_tag[0xA0], 0xA0)[0][2] == used.dump()
    need(same, "tree and timestamp differ in their digest")
    return used.native, tree, token


def root_of(tree: list[list[bytes]] | None, first: list[bytes], digest: str) -> bytes:
    """RFC 4998 §4.3: the hash values are in the first list; each list, in ascending order, is hashed into the next."""
    lists = [first] if tree is None else tree
    need(lists and set(first) <= set(lists[0]), "a hash value is not in the first list")
    carried: list[bytes] = []
    for one in lists:
        values = sorted({*one, *carried})
        need(one and all(len(each) == hashlib.new(digest).digest_size for each in values), "hash values")
        carried = values if len(values) == 1 else [digest_of(digest, b"".join(values))]
    return carried[0]


def proven_since(der: bytes, objects: list[bytes], helps: Helps, at: datetime) -> datetime:
    """RFC 4998 §5.3: every timestamp over what it renews, the newest good now, every other when the next was made."""
    (_, version, _), digests, *_unprotected, (tag, chains, _) = inner(der)
    need(version == b"\1" and digests[0] == tag == 0x30, "an evidence record")
    need(all(tag != 0xA1 for tag, _, _ in _unprotected), "encrypted objects")
    steps: list[tuple[bytes, bytes, str]] = []  # token, what it is over, its digest
    earlier = b""
    for _, _, chain in der_items(chains):
        stamps = [archive_timestamp(each) for _, _, each in inner(chain)]
        digest = stamps[0][0]
        hashed = [digest_of(digest, each) for each in objects]
        if earlier:
            hashed = [digest_of(digest, each + digest_of(digest, sequence(earlier))) for each in hashed]
        for used, tree, token in stamps:
            need(used == digest, "not one digest within a chain")
            steps.append((token, root_of(tree, hashed, digest), digest))
            hashed = [digest_of(digest, token)]
        earlier += chain
    control = at
    for token, root, digest in reversed(steps):
        trusted(digest, None, control)
        time = stamped(token, partial(lambda root, _used: root, root), helps, control)
        need(time < control or control == at, "times are reversed")
        control = time
    need(steps, "a record without a timestamp")
    return control


# --- Objects (docs/formats.md) ---


def judge_document(pdf: Member, members: list[Member], helps: Helps, at: datetime) -> dict[str, str]:
    """One signature, by the octets that its byte range names; what stands between them is the member."""
    document, mine = pdf.octets, [each for each in members if each.byte_range and pdf.path in each.of]
    numbers = re.findall(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", document)
    need(document.startswith(b"%PDF-"), "not a PDF")
    for each in mine:
        need(each.byte_range in [[*map(int, one)] for one in numbers], "a signature of another document")
    known([each.role for each in mine] == ["signature"] and len(numbers) == 1, "needs a PDF parser")
    (member,), (begin, first, second, size) = mine, mine[0].byte_range or []
    need(begin == 0 and first + 2 <= second and second + size <= len(document), "byte range")
    need(re.fullmatch(rb"<[0-9A-Fa-f]*>", document[first:second]), "no string between the ranges")
    contents = bytes.fromhex(document[first + 1 : second - 1].decode())
    need(contents.rstrip(b"\0") == member.octets.rstrip(b"\0"), f"{member.path} is not the document's")
    whole = second + size == len(document) or only_validation_data(document, second + size)
    known(whole, "what came after the signature needs a PDF parser")
    helps = helps.plus(*streams(document))
    signed = signed_data(member.octets, helps, "data", document[:first] + document[second : second + size])
    may_sign(signed.leaf)
    tokens = [each.octets for each in members if each.over == "signature-value" and member.path in each.of]
    over = lambda digest: digest_of(digest, signed.value)  # noqa: E731
    times = [stamped(token, over, helps, at) for token in dict.fromkeys((*tokens, *signed.tokens))]
    moment = min(times, default=at)
    trusted(signed.digest, signed.leaf.public_key(), moment)
    believed(signed.leaf, signed.helps, moment, moment, at)
    return {"name": name_of(signed.leaf), "time": moment.isoformat() if times else ""}


def streams(document: bytes) -> tuple[list[Cert], list[Crl]]:
    """Certificates and CRLs in uncompressed streams, as a DSS has them (ETSI EN 319 142-1 §5.4.2). Helps, no more."""
    begins = re.finditer(rb"stream\r?\n(?=\x30(\x81.|\x82..))", document, re.DOTALL)
    sizes = [(each.end(), 1 + len(each[1]) + int.from_bytes(each[1][1:], "big")) for each in begins]
    found = [document[begin : begin + size] for begin, size in sizes]
    return readable(certificate, found), readable(x509.load_der_x509_crl, found)


def only_validation_data(document: bytes, begin: int) -> bool:
    """Whether what stands behind the signature is one revision that can give validation data and do nothing else.

    Its table names new objects and the catalog alone, and that one differs by /DSS and /Extensions alone: no object
    of the signed document is another, and the new ones are reached through these two.
    """
    signed = document[:begin]
    sections = rb"((?:\d+ \d+\n(?:\d{10} \d{5} [nf]\r\n)+)+)"
    ending = rb"\nxref\n%strailer\n<<([^%%]*)>>\nstartxref\n(\d+)\n%%%%EOF\n" % sections
    tables = [match for match in re.finditer(ending, document) if match.end() == len(document)]
    trailers = re.findall(rb"\ntrailer\n<<([^%]*)>>\nstartxref\n(\d+)\n", signed)
    if not trailers or not tables or int(tables[0][3]) != tables[0].start() + 1 or tables[0].start() < begin:
        return False
    names = re.compile(rb"/(\w+) ([^/]*\w|\[[^\]]*\])")
    was, now = dict(names.findall(trailers[-1][0])), dict(names.findall(tables[0][2]))
    root, size, prev = int(was[b"Root"].split()[0]), int(was[b"Size"]), trailers[-1][1]
    kept = {*was, *now} - {b"Size", b"ID", b"Prev"}
    if any(was.get(name) != now.get(name) for name in kept) or now[b"Prev"] != prev:
        return False
    named: dict[int, int] = {}
    for first, lines in re.findall(rb"(\d+) \d+\n((?:\d{10} \d{5} [nf]\r\n)+)", tables[0][1]):
        named |= {int(first) + i: int(lines[i * 20 : i * 20 + 10]) for i in range(len(lines) // 20)}
    catalog = re.compile(rb"%d 0 obj\s(<<[^%%()]*?)\sendobj" % root)
    before, after = catalog.findall(signed), catalog.match(document, named.get(root, 0))
    if any(number < size for number in named.keys() - {0, root}) or not before or not after:
        return False
    added = rb"/DSS \d+ 0 R|/Extensions\s*<<(?:[^<>]|<<[^<>]*>>)*>>"
    return re.sub(added, b"", after[1]).split() == re.sub(added, b"", before[-1]).split()


def unb64(text: str) -> bytes:
    need(re.fullmatch(r"[A-Za-z0-9_-]*", text), "not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jws(text: str, kind: str, helps: Helps, at: datetime) -> tuple[dict[str, Any], str]:
    """RFC 7515 with ES256 and x5c: the payload, once the signature is true and its certificate believed."""
    head, body, value = text.split(".")
    header, signature = json.loads(unb64(head)), unb64(value)
    need(header["alg"] == "ES256" and header["typ"] == kind and "crit" not in header, "header of a JWS")
    chain = [certificate(base64.b64decode(each, validate=True)) for each in header["x5c"]]
    key = chain[0].public_key()
    need(isinstance(getattr(key, "curve", None), ec.SECP256R1) and len(signature) == 64, "not an ES256")
    numbers = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    verify(key, utils.encode_dss_signature(*numbers), f"{head}.{body}".encode(), "sha256")
    may_sign(chain[0])
    trusted("sha256", key, at)
    believed(chain[0], helps.plus(chain, ()), at, at, at)
    payload = json.loads(unb64(body))
    need(isinstance(payload, dict), "a payload that is no object")
    return payload, name_of(chain[0])


def judge_credential(member: Member, members: list[Member], helps: Helps, at: datetime) -> dict[str, str]:
    """RFC 9901 §7: each disclosure's digest stands once in the payload or in what was disclosed; all is used."""
    issued_part, *disclosures, last = member.octets.decode("ascii").split("~")
    known(not last, "a credential with a key binding")
    payload, name = jws(issued_part, "dc+sd-jwt", helps, at)
    need(payload.get("_sd_alg", "sha-256") == "sha-256", "digest of the disclosures")
    values = [json.loads(unb64(each)) for each in disclosures]
    need(all(isinstance(each, list) and len(each) in {2, 3} for each in values), "a disclosure")
    places = list(digests_in([payload, *(each[-1] for each in values)]))
    need(len(set(places)) == len(places), "a digest twice")
    for text in disclosures:
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        need(digest in places, "a disclosure that was not signed")
    names = [each[1] for each in values if len(each) == 3]
    need(len(set(disclosures)) == len(disclosures) and not {"_sd", "..."} & set(names), "a disclosure's name")
    need(len(set(names)) == len(names) and not set(names) & set(payload), "a claim twice")
    now = at.timestamp()
    known(payload.get("nbf", 0) <= now < payload.get("exp", now + 1), "outside the credential's time")
    check_status(payload["status"]["status_list"], members, helps, at)
    return {"name": name, "time": ""}


def digests_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value.get("_sd", [])
        if isinstance(value.get("..."), str):
            yield value["..."]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    for each in inner:
        yield from digests_in(each)


def check_status(status: dict[str, Any], members: list[Member], helps: Helps, at: datetime) -> None:
    """Token Status List: the list of this name, fresh, and in it the credential's entry, lowest bits first."""
    for member in (each for each in members if each.role == "status-list"):
        payload, _ = jws(member.octets.decode("ascii").strip(), "statuslist+jwt", helps, at)
        if payload["sub"] != status["uri"]:
            continue
        known(payload["iat"] <= at.timestamp() < payload["exp"], "a status list that has run out")
        bits, index = payload["status_list"]["bits"], status["idx"]
        need(bits in {1, 2, 4, 8} and type(index) is int and index >= 0, "status list")
        octets = zlib.decompressobj().decompress(unb64(payload["status_list"]["lst"]), 1 << 24)
        need(index * bits // 8 < len(octets), "an entry outside the status list")
        entry = octets[index * bits // 8] >> index * bits % 8 & (1 << bits) - 1
        need(entry == 0, f"the credential's status is {entry}")
        return
    raise Unsure("the credential's status list is missing")


def judge_package(octets: bytes) -> None:
    """RFC 8493 §3: one bag; every payload file in every manifest, every tag file that is named, as it was."""
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        infos = [each for each in archive.infolist() if not each.is_dir()]
        need(all(each.compress_type == zipfile.ZIP_STORED for each in infos), "a package that is compressed")
        need(sum(each.file_size for each in infos) <= len(octets), "files that overlap")
        files = {each.filename: archive.read(each) for each in infos}
    need(len(files) == len(infos) and len({name.split("/")[0] for name in files}) == 1, "not one bag")
    bag = {name.split("/", 1)[1]: content for name, content in files.items()}
    need(bag["bagit.txt"].startswith(b"BagIt-Version: 1.0\n"), "bagit.txt")
    manifests = [name for name in bag if re.fullmatch(r"manifest-sha(256|512)\.txt", name)]
    need(manifests, "a bag without a manifest that can be checked")
    for name in (*manifests, *(f"tag{each}" for each in manifests if f"tag{each}" in bag)):
        named = {}
        for line in bag[name].decode().splitlines():
            digest, path = line.split(maxsplit=1)
            path = path.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
            need(path not in named and path in bag, f"{name} names what is not there")
            named[path] = digest.lower()
            used = name.rsplit("-", 1)[1].removesuffix(".txt")
            need(hashlib.new(used, bag[path]).hexdigest() == named[path], f"{path} was changed")
        if name in manifests:
            need(set(named) == {path for path in bag if path.startswith("data/")}, f"more than {name} names")


# --- Events (the page, "How an event is bound to an object"; C2SP tlog-proof, tlog-checkpoint, signed-note) ---


def judge_event(event: Member, members: list[Member], keys: list[str], origin: str) -> Any:
    """Header and, where it is there, content of an event that the ledger proves."""
    header = parsed(event.octets)
    need(" ".join(sorted(header)) == HEADER and header["format"] == "yinxin-event/v1", "an event's header")
    mine = [each for each in members if event.path in each.of]
    contents = [each.octets for each in mine if each.role == "event-content"]
    proofs = [each.octets for each in mine if each.role == "ledger-proof"]
    need(len(contents) <= 1 and len(proofs) <= 1, "an event with two contents or proofs")
    content = None
    if contents:
        given = parsed(contents[0])
        need(set(given) == {"content", "salt"} and isinstance(given["content"], dict), "content of an event")
        salt = base64.b64decode(given["salt"], validate=True)
        need(len(salt) == 32, "salt of an event")
        commitment = hashlib.sha256(salt + canonical(given["content"])).hexdigest()
        need(commitment == header["content_commitment"], "the content is not what the header commits to")
        content = given["content"]
    known(proofs, "an event without its proof")
    check_proof(proofs[0].decode(), hashlib.sha256(event.octets).digest(), keys, origin)
    return header, content


def check_proof(text: str, entry: bytes, keys: list[str], origin: str) -> None:
    head, note = text.split("\n\n", 1)
    first, extra, index_line, *lines = head.split("\n")
    need(first == "c2sp.org/tlog-proof@v1", "not a tlog-proof")
    need(extra == f"extra {base64.b64encode(entry).decode()}", "the proof is for another entry")
    need(re.fullmatch(r"index (0|[1-9]\d{0,18})", index_line), "index of the proof")
    hashed = [base64.b64decode(each, validate=True) for each in lines]
    need(all(len(each) == 32 for each in hashed), "hashes of the proof")
    size, root = checkpoint(note, keys)
    need(note.split("\n", 1)[0] == origin, "the manifest names another ledger than the proof")
    need(included(entry, int(index_line[6:]), size, hashed) == root, "it does not lead to the checkpoint")


def included(entry: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """RFC 9162 §2.1.3.2."""
    value, last = hashlib.sha256(b"\0" + entry).digest(), size - 1
    if index >= size:
        return None
    for each in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            value = hashlib.sha256(b"\1" + each + value).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            value = hashlib.sha256(b"\1" + value + each).digest()
        index, last = index >> 1, last >> 1
    return value if last == 0 else None


def checkpoint(note: str, keys: list[str]) -> tuple[int, bytes]:
    """A signed note whose first line is the key's name; signed by at least one of the keys that are given."""
    text, signatures = note.split("\n\n", 1)
    origin, size, root, *_extensions = text.split("\n")
    need(re.fullmatch(r"0|[1-9]\d{0,18}", size) and signatures.endswith("\n"), "checkpoint")
    signers = {}
    for key in keys:
        name, key_hash, encoded = key.strip().split("+", 2)
        octets = base64.b64decode(encoded, validate=True)
        right = hashlib.sha256(name.encode() + b"\n" + octets).digest()[:4]
        if octets[0] == 1 and right.hex() == key_hash and name == origin:
            signers[name, right] = ed25519.Ed25519PublicKey.from_public_bytes(octets[1:])
    proven = False
    for line in signatures[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        octets = base64.b64decode(encoded, validate=True)
        need(dash == "\u2014" and len(octets) > 4, "a signature line")
        if (name, octets[:4]) in signers:
            try:
                signers[name, octets[:4]].verify(octets[4:], f"{text}\n".encode())
            except InvalidSignature:
                raise Broken("the checkpoint is not signed by the ledger's key") from None
            proven = True
    known(proven, "no key of the ledger for this checkpoint")
    return int(size), base64.b64decode(root, validate=True)


# --- All of it (the page, "How a bundle is judged") ---


def read(data: bytes, *, anchors: list[bytes], ledger_keys: list[str], at: datetime) -> Verdict:
    """Whatever the octets are: a verdict, with its reasons and with what was proven."""
    proven: dict[str, Any] = {"objects": {}, "signers": [], "stamps": {}, "events": [], "evidence": {}}
    notes: list[tuple[str, Any]] = []

    def attempt(where: str, act: Callable[[], Any]) -> Any:
        """One part judged; what it comes to does not hide what the others do."""
        found = outcome(act)
        if isinstance(found, Exception):
            notes.append((where, found))
        return None if isinstance(found, Exception) else found

    attempt("bundle", lambda: judge(data, [*map(certificate, anchors)], ledger_keys, at, attempt, proven))
    reasons = tuple(f"{where}: {found.args[0]}" for where, found in notes)
    if any(isinstance(found, Broken) for _, found in notes):
        return Verdict("invalid", reasons, proven)
    return Verdict("cannot_tell" if notes else "valid", reasons, proven)


def outcome(act: Callable[[], Any]) -> Any:
    """What comes of it, or why nothing does. A stranger's octets may do to a parser what they like: no bundle."""
    try:
        return act()
    except (Broken, Unsure) as found:
        return found
    except Exception as found:
        return Broken(f"unreadable: {type(found).__name__}")


def judge(data: bytes, anchors: list[Cert], keys: list[str], at: datetime, attempt: Any, proven: Any) -> None:
    manifest, members = members_of(data)
    kind, origin = manifest["kind"], manifest["origin"]
    of_role = {role: [each for each in members if each.role == role] for role in (*MEDIA_TYPES, "object")}
    certificates = [certificate(each.octets) for each in of_role["certificate"]]
    crls = [x509.load_der_x509_crl(each.octets) for each in of_role["crl"]]
    helps = Helps(tuple(anchors), tuple(certificates), tuple(crls), at)
    attempt("ocsp", lambda: known(not of_role["ocsp"], "this reader does not judge OCSP answers"))
    octets = {each.path: each.octets for each in members}
    since: dict[str, datetime] = {}
    for each in of_role["evidence"]:
        about = [octets[path] for path in each.of]
        time = attempt(each.path, partial(proven_since, each.octets, about, helps, at))
        since |= {path: min(time, since.get(path, time)) for path in each.of if time}
    proven["evidence"] = {path: time.isoformat() for path, time in since.items()}
    events = [*of_role["event"], *(of_role["object"] if kind == "event" else [])]
    happened = [attempt(each.path, partial(judge_event, each, members, keys, origin)) for each in events]
    happened = [each for each in happened if each]
    proven["events"] = [{name: header[name] for name in ("event_id", "act", "at")} for header, _ in happened]
    for each in (*of_role["object"], *(each for each in of_role["timestamp"] if each.over == "object")):
        moment = since.get(each.of[0] if each.of else each.path, at)
        judged = outcome(partial(judge_one, each, members, helps, at))  # now; where that fails, as of then
        if isinstance(judged, Exception):
            judged = attempt(each.path, partial(judge_one, each, members, helps, moment))
        for name, value in (judged or {}).items():
            proven[name] = proven[name] | value if isinstance(value, dict) else proven[name] + value
    attempt("recorded", partial(recorded, of_role["object"], happened, manifest["subject"], kind))


def judge_one(each: Member, members: list[Member], helps: Helps, at: datetime) -> dict[str, Any]:
    """An object by its own rules, or a timestamp over one."""
    if each.role == "timestamp":
        octets = next(one.octets for one in members if one.path == each.of[0])
        time = stamped(each.octets, lambda digest: digest_of(digest, octets), helps, at)
        return {"stamps": {each.of[0]: time.isoformat()}}
    signers = []
    if each.media_type in {PDF, CREDENTIAL}:
        act = judge_document if each.media_type == PDF else judge_credential
        signers.append(act(each, members, helps, at))
    elif each.media_type == PACKAGE:
        judge_package(each.octets)
    return {"signers": signers, "objects": {each.path: digest_of("sha256", each.octets).hex()}}


def recorded(objects: list[Member], events: list[Any], subject: str, kind: str) -> None:
    """One event that was done, of an act that makes objects, whose content names the SHA-256 of them all."""
    digests = {digest_of("sha256", each.octets).hex() for each in objects}
    said = [header["event_id"] for header, _ in events] if kind == "event" else []
    for header, content in events if kind != "event" else []:
        named = {(content or {}).get(name) for name in ACTS.get(header["act"], ())}
        if header["outcome"] == "done" and digests <= named:
            said.append(header["subject"])
    known(said, "no proven event names it")
    need(subject in said, "the manifest names another thing than the event")
