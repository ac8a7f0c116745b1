"""Paths: what passes, what fails with which reason, what stays open, and what a stranger may not do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pki import MOMENT, Leaf, TestPki, with_profile
from trust.crypto import schemes
from trust.crypto.policy import AlgorithmPolicy
from trust.crypto.schemes import Scheme
from trust.crypto.suites import SoftwareSigner
from trust.kernel.report import Check, Outcome
from trust.pki import path_search
from trust.pki.crl import RevocationReason, Revoked
from trust.pki.path import PathResult, validate_path
from trust.pki.profiles import PROFILES, ProfileName
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore
from trust.pki.usages import ExtendedKeyUsage, KeyUsage

_DAY = timedelta(days=1)


@pytest.fixture
def pki() -> TestPki:
    return TestPki()


def _validate(pki: TestPki, leaf: Leaf, **given: object) -> PathResult:
    asked: dict[str, object] = {
        "intermediates": leaf.chain,
        "trust": pki.trust_store(),
        "at": pki.now,
        "purpose": Purpose.DOCUMENT_SIGNING,
    }
    return validate_path(leaf.certificate, **{**asked, **given})  # type: ignore[arg-type]  # keywords by name


def _troubles(result: PathResult) -> list[tuple[str, Outcome, str | None]]:
    return [
        (check.code, check.outcome, check.sub_indication)
        for check in result.checks
        if check.outcome is not Outcome.PASSED
    ]


def test_a_leaf_under_the_anchor_passes_every_check(pki: TestPki) -> None:
    result = _validate(pki, pki.leaf())
    assert result.passed
    assert [check.code for check in result.checks] == [
        "chain",
        "certificate-signature",
        "certificate-validity",
        "certificate-constraints",
        "certificate-usage",
        "algorithm",
        "revocation",
    ]
    assert result.chain[-1] == pki.root.certificate


def test_the_store_supplies_the_authority_that_the_message_left_out(pki: TestPki) -> None:
    assert _validate(pki, pki.leaf(), intermediates=()).passed


def test_without_an_anchor_there_is_no_chain_and_the_answer_is_open(pki: TestPki) -> None:
    stranger = TestPki()
    for trust in (TrustStore(), stranger.trust_store()):
        result = _validate(pki, pki.leaf(), trust=trust)
        assert ("chain", Outcome.UNKNOWN, "NO_CERTIFICATE_CHAIN_FOUND") in _troubles(result)
        assert not [check for check in result.checks if check.outcome is Outcome.FAILED]


def test_a_leaf_signed_by_a_forger_with_the_authoritys_name_fails(pki: TestPki) -> None:
    leaf = pki.leaf()
    authority = pki.issuing
    real, authority.signer = authority.signer, _Forger(authority.signer)  # type: ignore[assignment]  # a fake
    forged = pki.leaf()
    authority.signer = real
    result = _validate(pki, forged)
    assert ("certificate-signature", Outcome.FAILED, "SIG_CRYPTO_FAILURE") in _troubles(result)
    assert _validate(pki, leaf).passed


class _Forger:
    """Shows the authority's public key and signs with its own."""

    def __init__(self, authority: SoftwareSigner) -> None:
        self._own = SoftwareSigner.generate(authority.suite)
        self.suite, self.spki = authority.suite, authority.spki

    def sign(self, data: bytes) -> bytes:
        return self._own.sign(data)


@pytest.mark.parametrize(
    ("after", "proven", "expected"),
    [
        (-2 * _DAY, True, (Outcome.FAILED, "NOT_YET_VALID")),
        (400 * _DAY, True, (Outcome.FAILED, "EXPIRED")),
        (400 * _DAY, False, (Outcome.UNKNOWN, "OUT_OF_BOUNDS_NO_POE")),
    ],
)
def test_a_moment_outside_the_validity_is_named(
    pki: TestPki, after: timedelta, proven: bool, expected: tuple[Outcome, str]
) -> None:
    result = _validate(pki, pki.leaf(), at=pki.now + after, time_is_proven=proven)
    assert ("certificate-validity", *expected) in _troubles(result)


def test_an_expired_certificate_hides_no_other_failure(pki: TestPki) -> None:
    leaf = pki.leaf(ProfileName.TIMESTAMP)
    codes = {code for code, _, _ in _troubles(_validate(pki, leaf, at=pki.now + 400 * _DAY))}
    assert {"certificate-validity", "certificate-usage", "revocation"} <= codes


_ALLOWED = {
    ProfileName.CITIZEN: {Purpose.DOCUMENT_SIGNING, Purpose.IDENTITY},
    ProfileName.LEGAL_PERSON: {Purpose.DOCUMENT_SIGNING, Purpose.IDENTITY},
    ProfileName.ORGANISATION: {Purpose.DOCUMENT_SIGNING, Purpose.IDENTITY},
    ProfileName.STAFF: {Purpose.DOCUMENT_SIGNING, Purpose.IDENTITY},
    ProfileName.APPLICATION: {Purpose.IDENTITY},
    ProfileName.SEAL: {Purpose.DOCUMENT_SIGNING},
    ProfileName.LICENCE: {Purpose.CREDENTIAL_SIGNING},
    ProfileName.TIMESTAMP: {Purpose.TIMESTAMPING},
    ProfileName.SERVICE: {Purpose.STATUS_SIGNING},
}


@pytest.mark.parametrize("profile", _ALLOWED)
def test_each_profile_serves_its_purposes_and_no_other(pki: TestPki, profile: ProfileName) -> None:
    leaf = pki.leaf(profile)
    expected = _ALLOWED[profile] | {Purpose.ANY}
    assert {each for each in Purpose if _validate(pki, leaf, purpose=each).passed} == expected


def test_a_timestamp_usage_that_is_not_critical_or_not_alone_is_refused(pki: TestPki) -> None:
    both = (ExtendedKeyUsage.TIMESTAMPING, ExtendedKeyUsage.DOCUMENT_SIGNING)
    for profile in (
        with_profile(ProfileName.TIMESTAMP, critical_extended_key_usage=False),
        with_profile(ProfileName.TIMESTAMP, extended_key_usage=both),
        with_profile(ProfileName.TIMESTAMP, extended_key_usage=()),
    ):
        result = _validate(pki, pki.leaf(profile), purpose=Purpose.TIMESTAMPING)
        assert "certificate-usage" in [code for code, _, _ in _troubles(result)]


def test_an_authoritys_extended_usage_limits_those_below_it(pki: TestPki) -> None:
    limited = with_profile(ProfileName.ISSUING_AUTHORITY, extended_key_usage=(ExtendedKeyUsage.TIMESTAMPING,))
    authority = pki.authority(pki.root, limited, name="只签时间戳")
    lists = (pki.crl(authority),)
    stamping = pki.leaf(ProfileName.TIMESTAMP, authority=authority)
    assert _validate(pki, stamping, purpose=Purpose.TIMESTAMPING, extra_crls=lists).passed
    troubles = _troubles(_validate(pki, pki.leaf(authority=authority), extra_crls=lists))
    assert troubles == [("certificate-usage", Outcome.FAILED, "CHAIN_CONSTRAINTS_FAILURE")]


def test_a_leaf_that_plays_authority_is_refused(pki: TestPki) -> None:
    seal = pki.leaf()
    usurper = pki.authority(
        pki.issuing, with_profile(ProfileName.ISSUING_AUTHORITY, is_authority=False), name="x"
    )
    below = pki.leaf(authority=usurper)
    result = _validate(pki, below, intermediates=(*below.chain, seal.certificate))
    assert ("certificate-constraints", Outcome.FAILED, "CHAIN_CONSTRAINTS_FAILURE") in _troubles(result)


def test_an_authority_that_may_not_sign_certificates_or_lists_is_refused(pki: TestPki) -> None:
    profile = with_profile(ProfileName.ISSUING_AUTHORITY, key_usage=frozenset({KeyUsage.DIGITAL_SIGNATURE}))
    authority = pki.authority(pki.root, profile, name="不可签发")
    leaf = pki.leaf(authority=authority)
    troubles = _troubles(_validate(pki, leaf, extra_crls=(pki.crl(authority),)))
    assert ("certificate-constraints", Outcome.FAILED, "CHAIN_CONSTRAINTS_FAILURE") in troubles
    assert ("revocation", Outcome.UNKNOWN, "TRY_LATER") in troubles


def test_a_path_longer_than_an_authority_allows_is_refused(pki: TestPki) -> None:
    deeper = pki.authority(
        pki.issuing, with_profile(ProfileName.ISSUING_AUTHORITY, path_length=None), name="过深"
    )
    leaf = pki.leaf(authority=deeper)
    result = _validate(pki, leaf, extra_crls=(pki.crl(deeper),))
    failed = [check for check in result.checks if check.outcome is Outcome.FAILED]
    assert [check.code for check in failed] == ["certificate-constraints"] * 2  # root: 1 below; issuing: 0


def test_a_path_beyond_the_depth_limit_is_not_followed(pki: TestPki) -> None:
    authority = pki.root
    chain: list[bytes] = []
    for number in range(path_search.MAX_PATH_CERTIFICATES):
        authority = pki.authority(
            authority, with_profile(ProfileName.ISSUING_AUTHORITY, path_length=None), name=f"层{number}"
        )
        chain.append(authority.certificate)
    result = _validate(pki, pki.leaf(authority=authority), intermediates=chain)
    assert ("chain", Outcome.UNKNOWN, "NO_CERTIFICATE_CHAIN_FOUND") in _troubles(result)


def test_a_leaf_that_is_itself_an_anchor_needs_no_list(pki: TestPki) -> None:
    leaf = pki.leaf()
    assert _validate(pki, leaf, trust=TrustStore(anchors=(leaf.certificate,))).passed


def test_a_policy_that_no_longer_trusts_the_suite_leaves_the_answer_open(pki: TestPki) -> None:
    policy = AlgorithmPolicy(
        version="t",
        digests={"sha256": None},
        keys={"p256": pki.now},
        rsa_keys=(),
        certificate_keys=frozenset(),
    )
    troubles = _troubles(_validate(pki, pki.leaf(), policy=policy))
    # Neither the certificates nor the lists are believed any longer.
    assert set(troubles) == {
        ("algorithm", Outcome.UNKNOWN, "CRYPTO_CONSTRAINTS_FAILURE"),
        ("revocation", Outcome.UNKNOWN, "TRY_LATER"),
    }


# Certificates by another writer, with what our profiles never have.


def _foreign(
    change: Callable[[x509.CertificateBuilder], x509.CertificateBuilder],
    pki: TestPki,
    crl_change: Callable[
        [x509.CertificateRevocationListBuilder], x509.CertificateRevocationListBuilder
    ] = lambda crl: crl,
) -> tuple[bytes, TrustStore]:
    key, root_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "foreign root")])
    base = (
        x509.CertificateBuilder()
        .not_valid_before(pki.now - _DAY)
        .not_valid_after(pki.now + _DAY)
        .issuer_name(root_name)
    )
    root = (
        base.subject_name(root_name)
        .public_key(root_key.public_key())
        .serial_number(1)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    leaf = base.subject_name(x509.Name([])).public_key(key.public_key()).serial_number(2)
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root_name)
        .last_update(pki.now - _DAY)
        .next_update(pki.now + _DAY)
    )
    trust = TrustStore(
        anchors=(root.public_bytes(Encoding.DER),),
        crls=(crl_change(crl).sign(root_key, hashes.SHA256()).public_bytes(Encoding.DER),),
    )
    return change(leaf).sign(root_key, hashes.SHA256()).public_bytes(Encoding.DER), trust


def test_a_foreign_certificate_with_nothing_but_a_key_may_sign_documents(pki: TestPki) -> None:
    certificate, trust = _foreign(lambda leaf: leaf, pki)
    result = validate_path(certificate, trust=trust, at=pki.now, purpose=Purpose.DOCUMENT_SIGNING)
    assert result.passed, _troubles(result)


@pytest.mark.parametrize("critical", [True, False])
def test_a_critical_extension_nobody_processes_is_refused_and_another_passed_over(
    pki: TestPki, critical: bool
) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    certificate, trust = _foreign(lambda leaf: leaf.add_extension(unknown, critical=critical), pki)
    result = validate_path(certificate, trust=trust, at=pki.now, purpose=Purpose.DOCUMENT_SIGNING)
    assert result.passed is not critical


# Revocation.


def test_a_certificate_revoked_before_the_moment_fails(pki: TestPki) -> None:
    leaf = pki.leaf()
    pki.revoke(leaf, at=pki.now - _DAY, reason=RevocationReason.KEY_COMPROMISE)
    assert _troubles(_validate(pki, leaf)) == [("revocation", Outcome.FAILED, "REVOKED")]
    open_answer = _troubles(_validate(pki, leaf, time_is_proven=False))
    assert open_answer == [("revocation", Outcome.UNKNOWN, "REVOKED_NO_POE")]


def test_a_certificate_revoked_after_the_moment_was_good_then(pki: TestPki) -> None:
    leaf = pki.leaf()
    pki.revoke(leaf, at=pki.now + timedelta(minutes=1))
    later = pki.crl(this_update=pki.now + timedelta(minutes=2))
    assert _validate(pki, leaf, extra_crls=(later,)).passed


def test_a_revoked_authority_spoils_what_it_issued(pki: TestPki) -> None:
    leaf = pki.leaf()
    pki.revoke(pki.issuing, at=pki.now - _DAY)
    assert _troubles(_validate(pki, leaf)) == [("revocation", Outcome.FAILED, "REVOKED")]
    open_answer = _troubles(_validate(pki, leaf, time_is_proven=False))
    assert open_answer == [("revocation", Outcome.UNKNOWN, "REVOKED_CA_NO_POE")]


def _with_lists(pki: TestPki, *lists: bytes) -> TrustStore:
    return TrustStore(
        anchors=(pki.root.certificate,),
        intermediates=(pki.issuing.certificate,),
        crls=(pki.crl(pki.root), *lists),
    )


def test_without_a_list_the_answer_is_open(pki: TestPki) -> None:
    troubles = _troubles(_validate(pki, pki.leaf(), trust=pki.trust_store(with_crls=False)))
    assert troubles == [("revocation", Outcome.UNKNOWN, "TRY_LATER")] * 2


def test_a_list_that_has_run_out_says_nothing_by_silence_but_still_reveals(pki: TestPki) -> None:
    leaf, revoked = pki.leaf(), pki.leaf()
    entry = Revoked(serial=revoked.parsed.serial, at=pki.now - 5 * _DAY)
    stale = pki.crl(this_update=pki.now - 3 * _DAY, next_update=pki.now - 2 * _DAY, revoked=[entry])
    trust = _with_lists(pki, stale)
    assert _troubles(_validate(pki, leaf, trust=trust)) == [("revocation", Outcome.UNKNOWN, "TRY_LATER")]
    assert _troubles(_validate(pki, revoked, trust=trust)) == [("revocation", Outcome.FAILED, "REVOKED")]


def test_a_hold_on_a_list_that_has_run_out_leaves_the_answer_open(pki: TestPki) -> None:
    leaf = pki.leaf()
    hold = Revoked(serial=leaf.parsed.serial, at=pki.now - 5 * _DAY, reason=RevocationReason.CERTIFICATE_HOLD)
    stale = pki.crl(this_update=pki.now - 3 * _DAY, next_update=pki.now - 2 * _DAY, revoked=[hold])
    troubles = _troubles(_validate(pki, leaf, trust=_with_lists(pki, stale)))
    assert troubles == [("revocation", Outcome.UNKNOWN, "TRY_LATER")]
    current = _with_lists(pki, pki.crl(revoked=[hold]))
    assert _troubles(_validate(pki, leaf, trust=current)) == [("revocation", Outcome.UNKNOWN, "TRY_LATER")]


def test_a_revocation_counts_before_a_hold_whichever_list_comes_first(pki: TestPki) -> None:
    leaf = pki.leaf()
    since = pki.now - _DAY
    hold = Revoked(serial=leaf.parsed.serial, at=since, reason=RevocationReason.CERTIFICATE_HOLD)
    revoked = Revoked(serial=leaf.parsed.serial, at=since, reason=RevocationReason.KEY_COMPROMISE)
    lists = [pki.crl(revoked=[each]) for each in (hold, revoked)]
    for order in (lists, lists[::-1]):
        troubles = _troubles(_validate(pki, leaf, trust=_with_lists(pki, *order)))
        assert troubles == [("revocation", Outcome.FAILED, "REVOKED")]


def test_what_was_signed_before_a_hold_stays_good_and_after_it_waits_for_the_release(pki: TestPki) -> None:
    leaf = pki.leaf()
    hold = Revoked(
        serial=leaf.parsed.serial, at=pki.now - timedelta(hours=1), reason=RevocationReason.CERTIFICATE_HOLD
    )
    held = _with_lists(pki, pki.crl(revoked=[hold]))
    assert _validate(pki, leaf, trust=held, at=pki.now - timedelta(hours=2)).passed
    at_hold = _validate(pki, leaf, trust=held)
    assert (at_hold.passed, at_hold.on_hold) == (False, True)
    assert not _validate(pki, leaf, trust=_with_lists(pki)).on_hold  # open for want of lists
    assert _validate(pki, leaf, trust=_with_lists(pki, pki.crl())).passed


def test_a_list_made_after_the_moment_counts_until_the_certificate_expires(pki: TestPki) -> None:
    leaf = pki.leaf(not_after=pki.now + _DAY)
    soon = pki.crl(this_update=pki.now + timedelta(hours=2))
    assert _validate(pki, leaf, trust=_with_lists(pki, soon)).passed
    after_expiry = pki.crl(this_update=pki.now + 2 * _DAY)
    troubles = _troubles(_validate(pki, leaf, trust=_with_lists(pki, after_expiry)))
    assert troubles == [("revocation", Outcome.UNKNOWN, "TRY_LATER")]


def test_a_list_that_the_authority_did_not_sign_is_not_heard(pki: TestPki) -> None:
    leaf = pki.leaf()
    forged = pki.crl(signer=SoftwareSigner.generate(pki.issuing.signer.suite))
    troubles = _troubles(_validate(pki, leaf, trust=_with_lists(pki, forged)))
    assert troubles == [("revocation", Outcome.UNKNOWN, "TRY_LATER")]


def test_an_older_silent_list_does_not_outweigh_a_newer_revocation(pki: TestPki) -> None:
    leaf = pki.leaf()
    silent = pki.crl(this_update=pki.now - timedelta(hours=2))
    pki.revoke(leaf, at=pki.now - timedelta(minutes=90))
    for lists in ((silent, pki.crl()), (pki.crl(), silent)):
        troubles = _troubles(_validate(pki, leaf, trust=_with_lists(pki, *lists)))
        assert troubles == [("revocation", Outcome.FAILED, "REVOKED")]


@pytest.mark.parametrize(
    ("reason", "spoils"),
    [
        (None, True),
        (RevocationReason.KEY_COMPROMISE, True),
        (RevocationReason.SUPERSEDED, False),
        (RevocationReason.CESSATION_OF_OPERATION, False),
    ],
)
def test_a_timestamp_authority_revoked_later_spoils_its_tokens_only_for_cause(
    pki: TestPki, reason: RevocationReason | None, spoils: bool
) -> None:
    leaf = pki.leaf(ProfileName.TIMESTAMP)
    pki.revoke(leaf, at=pki.now + _DAY, reason=reason)
    later = pki.crl(this_update=pki.now + 2 * _DAY)
    result = _validate(pki, leaf, purpose=Purpose.TIMESTAMPING, extra_crls=(later,))
    assert result.passed is not spoils


@pytest.mark.parametrize(("only", "heard"), [("users", True), ("authorities", False), ("attributes", False)])
def test_a_partial_list_is_heard_about_what_it_is_about(pki: TestPki, only: str, heard: bool) -> None:
    partial = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=only == "users",
        only_contains_ca_certs=only == "authorities",
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=only == "attributes",
    )
    certificate, trust = _foreign(
        lambda leaf: leaf, pki, crl_change=lambda crl: crl.add_extension(partial, critical=True)
    )
    result = validate_path(certificate, trust=trust, at=pki.now, purpose=Purpose.DOCUMENT_SIGNING)
    assert result.passed is heard


# Strangers.


def test_rubbish_among_the_helpers_is_left_aside(pki: TestPki) -> None:
    leaf = pki.leaf()
    rubbish = (b"", b"\x30\x80", bytes(100_000), leaf.certificate[:-5])
    result = _validate(
        pki, leaf, intermediates=(*rubbish, *leaf.chain), extra_crls=rubbish, extra_ocsps=rubbish
    )
    assert result.passed


def test_a_leaf_that_cannot_be_read_is_a_finding(pki: TestPki) -> None:
    result = validate_path(b"\x30\x80", trust=pki.trust_store(), at=pki.now, purpose=Purpose.IDENTITY)
    assert _troubles(result) == [("chain", Outcome.FAILED, "FORMAT_FAILURE")]


def test_a_thicket_of_cross_certificates_is_left_after_a_bounded_number_of_signatures(
    pki: TestPki, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Authorities that certify each other in every direction: 7 names with 7 certificates each."""
    profile = with_profile(ProfileName.ISSUING_AUTHORITY, path_length=None)
    roots = [pki.authority(None, with_profile(ProfileName.ROOT), name=f"丛{n}") for n in range(7)]
    thicket = [
        pki.certify(above, profile, subject={"C": "CN", "O": "印信测试", "CN": f"丛{n}"}, signer=below.signer)
        for above in roots
        for n, below in enumerate(roots)
        if above is not below
    ]
    calls = []

    def counted(spki: bytes, signature: bytes, data: bytes, scheme: Scheme) -> None:
        calls.append(scheme)
        verify(spki, signature, data, scheme)

    verify = schemes.verify
    leaf = pki.leaf(authority=roots[0])
    monkeypatch.setattr(schemes, "verify", counted)
    # By names there is a way: the last of the thicket bears the anchor's name, and another key.
    impostor = pki.authority(None, with_profile(ProfileName.ROOT), name="印信测试根")
    crossed = pki.certify(
        impostor, profile, subject={"C": "CN", "O": "印信测试", "CN": "丛6"}, signer=roots[6].signer
    )
    result = _validate(pki, leaf, intermediates=(*thicket, crossed))
    assert ("chain", Outcome.UNKNOWN, "NO_CERTIFICATE_CHAIN_FOUND") in _troubles(result)
    assert 0 < len(calls) <= path_search.MAX_EDGES_TRIED


def test_a_loop_of_cross_certificates_does_not_hide_the_way_to_the_anchor(pki: TestPki) -> None:
    profile = with_profile(ProfileName.ISSUING_AUTHORITY, path_length=None)
    other = pki.authority(None, with_profile(ProfileName.ROOT), name="环")
    subject = {"C": "CN", "O": "印信测试", "CN": "印信测试签发"}
    loop = pki.certify(other, profile, subject=subject, signer=pki.issuing.signer)
    back = pki.certify(pki.issuing, profile, subject={"C": "CN", "O": "x", "CN": "环"}, signer=other.signer)
    leaf = pki.leaf()
    assert _validate(pki, leaf, intermediates=(loop, back, *leaf.chain)).passed


_FLIP_PKI = TestPki()
_FLIP_LEAF = _FLIP_PKI.leaf()
_FLIP_TRUST = _FLIP_PKI.trust_store()
_FLIP_LIST = _FLIP_PKI.crl()


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=200)
def test_a_flipped_bit_in_a_certificate_never_passes(position: int, bit: int) -> None:
    octets = bytearray(_FLIP_LEAF.certificate)
    octets[position % len(octets)] ^= 1 << bit
    flipped = Leaf(certificate=bytes(octets), chain=_FLIP_LEAF.chain, signer=_FLIP_LEAF.signer)
    assert not _validate(_FLIP_PKI, flipped, trust=_FLIP_TRUST).passed


@given(position=st.integers(min_value=0), bit=st.integers(0, 7))
@settings(max_examples=200)
def test_a_flipped_bit_in_a_list_never_makes_a_certificate_good(position: int, bit: int) -> None:
    octets = bytearray(_FLIP_LIST)
    octets[position % len(octets)] ^= 1 << bit
    trust = TrustStore(anchors=_FLIP_TRUST.anchors, crls=(_FLIP_TRUST.crls[0],))
    result = _validate(_FLIP_PKI, _FLIP_LEAF, trust=trust, extra_crls=(bytes(octets),))
    revocation = [check for check in result.checks if check.code == "revocation"]
    assert _is_open(revocation)


def _is_open(checks: list[Check]) -> bool:
    return [check.outcome for check in checks] == [Outcome.UNKNOWN]


def test_a_new_root_leads_to_what_the_old_one_signed_before_it_and_nothing_else_is_older_than_its_issuer() -> (
    None
):
    """RFC 4210 §4.4.1: the bridge from new to old is valid from when the old key was made."""
    old = TestPki(now=MOMENT)
    leaf = old.leaf(ProfileName.SEAL)
    later = TestPki(now=MOMENT + timedelta(days=400))
    names = {"C": "CN", "O": "印信测试", "CN": "印信测试根"}
    root = later.root
    bridge = later.certify(
        root, PROFILES[ProfileName.CROSS], subject=names, signer=old.root.signer,
        not_before=old.root.parsed.not_before, not_after=old.root.parsed.not_after - timedelta(days=1),
    )  # fmt: skip
    at_once = later.certify(
        root, PROFILES[ProfileName.ISSUING_AUTHORITY], subject={**names, "CN": "印信测试签发"},
        signer=old.issuing.signer, not_before=old.root.parsed.not_before,
    )  # fmt: skip
    found = {}
    for name, between in {"bridge": (bridge, old.issuing.certificate), "backdated": (at_once,)}.items():
        result = validate_path(
            leaf.certificate,
            intermediates=between,
            trust=TrustStore(anchors=(root.certificate,)),
            at=MOMENT,
            purpose=Purpose.DOCUMENT_SIGNING,
        )
        found[name] = [c.outcome for c in result.checks if c.code == "certificate-validity"]
        assert len(result.chain) == len(between) + 2
    assert found["bridge"] == [Outcome.PASSED]
    assert Outcome.FAILED in found["backdated"]
