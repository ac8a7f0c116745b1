"""Lists at work: what they are about, who signed them, which moment they cover, and what several say together."""

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.foreign_pki import (
    DAY,
    NOW,
    Extensions,
    Party,
    answer,
    authority,
    crl,
    entry,
    name,
    person,
    usage,
)
from trust.crypto import der, der_reader
from trust.crypto.policy import AlgorithmPolicy
from trust.kernel.report import Outcome
from trust.pki import revocation_list
from trust.pki.certificate import read_certificate
from trust.pki.errors import CrlMalformed
from trust.pki.path import PathResult, validate_path
from trust.pki.purposes import Purpose
from trust.pki.revocation_list import Crl, count_revoked, read_crl
from trust.pki.trust_store import TrustStore

_ROOT = authority("root")
_SUB = authority("sub", _ROOT)
_LEAF = person("leaf", _SUB)
_ABOUT_SUB = crl(_ROOT)
_TRUST = TrustStore(anchors=(_ROOT.der,), intermediates=(_SUB.der,))
_HOUR = timedelta(hours=1)
_GOOD, _OPEN, _REVOKED = (Outcome.PASSED, None), (Outcome.UNKNOWN, "TRY_LATER"), (Outcome.FAILED, "REVOKED")
_HOLD, _LIFTED = x509.ReasonFlags.certificate_hold, x509.ReasonFlags.remove_from_crl


def _validate(*lists: bytes, leaf: Party = _LEAF, **given: object) -> PathResult:
    asked: dict[str, object] = {
        "trust": _TRUST,
        "at": NOW,
        "purpose": Purpose.DOCUMENT_SIGNING,
        "extra_crls": (_ABOUT_SUB, *lists),
    }
    return validate_path(leaf.der, **{**asked, **given})  # type: ignore[arg-type]  # keywords by name


def _revocation(result: PathResult) -> tuple[Outcome, str | None]:
    others = [each for each in result.checks if each.code != "revocation"]
    assert all(each.outcome is Outcome.PASSED for each in others), others
    (check,) = [each for each in result.checks if each.code == "revocation"]
    return check.outcome, check.sub_indication


def _detail(result: PathResult) -> str:
    return next(each.detail for each in result.checks if each.code == "revocation")


# What a list is about.


def _about(
    *,
    full: str | None = None,
    reasons: frozenset[x509.ReasonFlags] | None = None,
    indirect: bool = False,
    only: str = "",
) -> tuple[x509.ExtensionType, bool]:
    names = None if full is None else [x509.UniformResourceIdentifier(full)]
    value = x509.IssuingDistributionPoint(
        full_name=names,
        relative_name=None,
        only_contains_user_certs=only == "users",
        only_contains_ca_certs=only == "authorities",
        only_some_reasons=reasons,
        indirect_crl=indirect,
        only_contains_attribute_certs=only == "attributes",
    )
    return value, True


def _at(uri: str, *, reasons: frozenset[x509.ReasonFlags] | None = None, issuer: str = "") -> Extensions:
    point = x509.DistributionPoint(
        full_name=[x509.UniformResourceIdentifier(uri)],
        relative_name=None,
        reasons=reasons,
        crl_issuer=[x509.DirectoryName(name(issuer))] if issuer else None,
    )
    return [(x509.CRLDistributionPoints([point]), False)]


def test_one_part_of_a_divided_list_speaks_for_those_that_name_it() -> None:
    first, second = (crl(_SUB, extensions=[_about(full=f"http://crl.test/{part}")]) for part in (1, 2))
    leaf = person("leaf", _SUB, extensions=_at("http://crl.test/1"))
    assert _revocation(_validate(first, leaf=leaf)) == _GOOD
    assert _revocation(_validate(second, leaf=leaf)) == _OPEN
    assert _revocation(_validate(first, second)) == _OPEN  # the other leaf names no place at all


_COMPROMISED = frozenset({x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise})
_OTHERWISE = frozenset(
    {
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
        x509.ReasonFlags.certificate_hold,
        x509.ReasonFlags.privilege_withdrawn,
        x509.ReasonFlags.aa_compromise,
    }
)


def test_lists_about_some_reasons_have_to_cover_them_all_together() -> None:
    one = crl(_SUB, extensions=[_about(reasons=_COMPROMISED)])
    other = crl(_SUB, extensions=[_about(reasons=_OTHERWISE)])
    assert _revocation(_validate(one)) == _OPEN
    assert "missing" in _detail(_validate(one))
    both = _validate(one, other)
    assert _revocation(both) == _GOOD
    assert set(both.crls_used) == {_ABOUT_SUB, one, other}
    revoked = crl(_SUB, {_LEAF: NOW - DAY}, extensions=[_about(reasons=_COMPROMISED)])
    assert _revocation(_validate(revoked)) == _REVOKED


def test_a_list_with_something_critical_and_unknown_says_nothing() -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert _revocation(_validate(crl(_SUB, extensions=[(unknown, True)]))) == _OPEN
    assert _revocation(_validate(crl(_SUB, extensions=[(unknown, False)]))) == _GOOD
    for critical, expected in ((True, _OPEN), (False, _GOOD)):
        strange = entry(4711, NOW - DAY, extensions=[(unknown, critical)])
        assert _revocation(_validate(crl(_SUB, entries=[strange]))) == expected


def test_a_key_that_became_invalid_before_it_was_revoked_spoils_from_then_on() -> None:
    invalid = (x509.InvalidityDate((NOW - DAY).replace(tzinfo=None)), False)
    listed = crl(_SUB, entries=[entry(_LEAF.serial, NOW + DAY, extensions=[invalid])], this_update=NOW + DAY)
    assert _revocation(_validate(listed)) == _REVOKED
    plain = crl(_SUB, entries=[entry(_LEAF.serial, NOW + DAY)], this_update=NOW + DAY)
    assert _revocation(_validate(plain)) == _GOOD


def test_an_entry_that_cannot_be_read_leaves_the_answer_open_whatever_others_say() -> None:
    nonsense = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.21"), b"\x0a\x01\x63")
    unreadable = crl(_SUB, entries=[entry(_LEAF.serial, NOW - DAY, extensions=[(nonsense, False)])])
    silent = crl(_SUB, this_update=NOW - 2 * _HOUR)
    assert _revocation(_validate(silent)) == _GOOD
    assert _revocation(_validate(unreadable)) == _OPEN
    assert _revocation(_validate(unreadable, silent)) == _OPEN
    assert _revocation(_validate(silent, unreadable)) == _OPEN


# Who signs it.


def _indirect(issuer: Party, revoked: Party | None = None) -> bytes:
    entries = []
    if revoked is not None:
        by = (x509.CertificateIssuer([x509.DirectoryName(_SUB.name)]), True)
        entries.append(entry(revoked.serial, NOW - DAY, extensions=[by]))
    return crl(issuer, entries=entries, extensions=[_about(full="http://crl.test/i", indirect=True)])


def test_an_indirect_list_counts_for_certificates_that_name_its_issuer() -> None:
    lister = person("lister", _ROOT, key_usage=usage(crl_sign=True))
    leaf = person("leaf", _SUB, extensions=_at("http://crl.test/i", issuer="lister"))
    extra = {"intermediates": (lister.der,)}
    result = _validate(_indirect(lister), leaf=leaf, **extra)
    assert _revocation(result) == _GOOD
    assert lister.der in result.certificates_used
    assert _revocation(_validate(_indirect(lister, leaf), leaf=leaf, **extra)) == _REVOKED
    assert _revocation(_validate(_indirect(lister), leaf=_LEAF, **extra)) == _OPEN
    assert _revocation(_validate(_indirect(lister), leaf=leaf)) == _OPEN
    own = crl(lister, {leaf: NOW - DAY}, extensions=[_about(full="http://crl.test/i", indirect=True)])
    # Without a certificate issuer, the entry is about a certificate of the lister's own.
    assert _revocation(_validate(own, leaf=leaf, **extra)) == _GOOD


@pytest.mark.parametrize(("critical", "expected"), [(True, _OPEN), (False, _GOOD)])
def test_an_indirect_list_with_something_unknown_in_an_entry(
    critical: bool, expected: tuple[Outcome, str | None]
) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    lister = person("lister", _ROOT, key_usage=usage(crl_sign=True))
    leaf = person("leaf", _SUB, extensions=_at("http://crl.test/i", issuer="lister"))
    strange = entry(4711, NOW - DAY, extensions=[(unknown, critical)])
    listed = crl(lister, entries=[strange], extensions=[_about(full="http://crl.test/i", indirect=True)])
    assert _revocation(_validate(listed, leaf=leaf, intermediates=(lister.der,))) == expected


def test_an_indirect_list_too_long_to_walk_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation_list, "MAX_INDIRECT_ENTRIES", 0)
    lister = person("lister", _ROOT, key_usage=usage(crl_sign=True))
    leaf = person("leaf", _SUB, extensions=_at("http://crl.test/i", issuer="lister"))
    listed = _indirect(lister, person("another", _SUB))
    assert _revocation(_validate(listed, leaf=leaf, intermediates=(lister.der,))) == _OPEN


def test_a_lister_that_was_revoked_or_does_not_lead_to_the_anchor_is_not_believed() -> None:
    leaf = person("leaf", _SUB, extensions=_at("http://crl.test/i", issuer="lister"))
    stranger = person("lister", authority("other"), key_usage=usage(crl_sign=True))
    assert _revocation(_validate(_indirect(stranger), leaf=leaf, intermediates=(stranger.der,))) == _OPEN
    lister = person("lister", _ROOT, key_usage=usage(crl_sign=True))
    for usage_of, expected in ((usage(digital_signature=True), _OPEN), (usage(crl_sign=True), _GOOD)):
        other = person("lister", _ROOT, key_usage=usage_of)
        assert _revocation(_validate(_indirect(other), leaf=leaf, intermediates=(other.der,))) == expected
    about = crl(_ROOT, {lister: NOW - DAY})
    result = _validate(
        _indirect(lister), leaf=leaf, intermediates=(lister.der,), extra_crls=(about, _indirect(lister))
    )
    assert _revocation(result) == _OPEN


_SUPERSEDED, _COMPROMISE = x509.ReasonFlags.superseded, x509.ReasonFlags.key_compromise


@pytest.mark.parametrize(
    ("since", "reason", "expected"),
    [
        (NOW - 2 * _HOUR, _SUPERSEDED, _OPEN),
        (NOW - _HOUR / 2, _SUPERSEDED, _OPEN),
        (NOW + DAY, _SUPERSEDED, _GOOD),
        (NOW + DAY, _COMPROMISE, _OPEN),
    ],
)
def test_a_lister_revoked_by_the_moment_or_later_for_cause_is_not_believed(
    since: datetime, reason: x509.ReasonFlags, expected: tuple[Outcome, str | None]
) -> None:
    """Its list was made an hour before the moment."""
    lister = person("lister", _ROOT, key_usage=usage(crl_sign=True))
    leaf = person("leaf", _SUB, extensions=_at("http://crl.test/i", issuer="lister"))
    about = crl(_ROOT, {lister: since}, reason=reason, this_update=NOW + 2 * DAY)
    lists = {"extra_crls": (about, _indirect(lister))}
    assert _revocation(_validate(leaf=leaf, intermediates=(lister.der,), **lists)) == expected


def test_a_lister_that_leads_to_another_anchor_is_not_believed() -> None:
    """RFC 5280 §6.3.3 (f): the same anchor, or one authority could speak for those of another house."""
    other = authority("other")
    lister = person("lister", other, key_usage=usage(crl_sign=True))
    leaf = person("leaf", _SUB, extensions=_at("http://crl.test/i", issuer="lister"))
    both = TrustStore(anchors=(_ROOT.der, other.der), intermediates=(_SUB.der,), crls=(crl(other),))
    assert (
        _revocation(_validate(_indirect(lister), leaf=leaf, trust=both, intermediates=(lister.der,))) == _OPEN
    )
    own = person("lister", _ROOT, key_usage=usage(crl_sign=True))
    assert _revocation(_validate(_indirect(own), leaf=leaf, trust=both, intermediates=(own.der,))) == _GOOD


_ONLY_SHA256 = AlgorithmPolicy(
    version="t",
    digests={"sha256": None},
    keys={"p256": None},
    rsa_keys=(),
    certificate_keys=frozenset(),
)


@pytest.mark.parametrize(("digest", "expected"), [(hashes.SHA256(), _GOOD), (hashes.SHA224(), _OPEN)])
def test_a_signer_certified_by_an_algorithm_not_trusted_is_not_believed(
    digest: hashes.HashAlgorithm, expected: tuple[Outcome, str | None]
) -> None:
    lister = person("lister", _ROOT, key_usage=usage(crl_sign=True), digest=digest)
    leaf = person("leaf", _SUB, extensions=_at("http://crl.test/i", issuer="lister"))
    given = {"leaf": leaf, "intermediates": (lister.der,), "policy": _ONLY_SHA256}
    assert _revocation(_validate(_indirect(lister), **given)) == expected


def test_a_second_key_of_the_authority_signs_lists_where_its_own_authority_certified_it() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    second = person("sub", _ROOT, key=key, key_usage=usage(crl_sign=True))
    silent = crl(_SUB, signer=key)
    result = _validate(silent, intermediates=(second.der,))
    assert _revocation(result) == _GOOD
    assert result.certificates_used == (_LEAF.der, _SUB.der, _ROOT.der, second.der)


def test_another_authority_below_the_anchor_cannot_speak_in_the_authoritys_name() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    evil = authority("evil", _ROOT)
    usurper = person("sub", evil, key=key, key_usage=usage(crl_sign=True))
    silent = crl(_SUB, signer=key)
    lists = {"extra_crls": (_ABOUT_SUB, crl(evil), silent)}
    assert _revocation(_validate(intermediates=(evil.der, usurper.der), **lists)) == _OPEN
    # Nor by a certificate in that name which certifies itself further.
    rogue = authority("sub", evil)
    rolled = person("sub", rogue, key=key, key_usage=usage(crl_sign=True))
    more = (evil.der, rogue.der, rolled.der)
    assert _revocation(_validate(intermediates=more, **lists)) == _OPEN


# Deltas.


def _delta(base: int, number: int, *entries: x509.RevokedCertificate, this_update: object = None) -> bytes:
    return crl(
        _SUB,
        number=number,
        entries=entries,
        this_update=this_update or NOW - _HOUR / 2,  # type: ignore[arg-type]  # a moment
        extensions=[(x509.DeltaCRLIndicator(base), True)],
    )


def test_a_delta_alone_says_nothing() -> None:
    assert _revocation(_validate(_delta(1, 2))) == _OPEN


def test_a_delta_renews_a_base_that_has_run_out() -> None:
    base = crl(_SUB, number=3, this_update=NOW - 3 * DAY, next_update=NOW - DAY)
    assert _revocation(_validate(base)) == _OPEN
    delta = _delta(3, 5)
    result = _validate(base, delta)
    assert _revocation(result) == _GOOD
    assert set(result.crls_used) == {_ABOUT_SUB, base, delta}
    for other in (_delta(4, 5), _delta(1, 2)):  # of a later base; older than the base
        assert _revocation(_validate(base, other)) == _OPEN


def test_a_delta_alone_reveals_a_revocation() -> None:
    assert _revocation(_validate(_delta(1, 2, entry(_LEAF.serial, NOW - DAY)))) == _REVOKED
    for reason in (_HOLD, _LIFTED):
        assert _revocation(_validate(_delta(1, 2, entry(_LEAF.serial, NOW - DAY, reason=reason)))) == _OPEN


def test_a_delta_builds_on_a_base_of_its_scope_and_by_its_key_only() -> None:
    base = crl(_SUB, number=3, this_update=NOW - 3 * DAY, next_update=NOW - DAY)
    indicator = (x509.DeltaCRLIndicator(3), True)
    leaf = person("leaf", _SUB, extensions=_at("http://crl.test/1"))
    key = ec.generate_private_key(ec.SECP256R1())
    second = person("sub", _ROOT, key=key, key_usage=usage(crl_sign=True))
    given = {"leaf": leaf, "intermediates": (second.der,)}
    plain = crl(_SUB, number=4, extensions=[indicator])
    narrower = crl(_SUB, number=4, extensions=[indicator, _about(full="http://crl.test/1")])
    by_another = crl(_SUB, number=4, extensions=[indicator], signer=key)
    assert _revocation(_validate(base, plain, **given)) == _GOOD
    assert _revocation(_validate(base, narrower, **given)) == _OPEN
    assert _revocation(_validate(base, by_another, **given)) == _OPEN


def test_a_delta_revokes_holds_and_lifts() -> None:
    silent = crl(_SUB, number=3)
    held = crl(_SUB, {_LEAF: NOW - DAY}, reason=_HOLD, number=3)
    revoked = crl(_SUB, {_LEAF: NOW - DAY}, number=3)
    lifts = _delta(3, 4, entry(_LEAF.serial, NOW - DAY, reason=_LIFTED))
    assert _revocation(_validate(silent, _delta(3, 4, entry(_LEAF.serial, NOW - DAY)))) == _REVOKED
    assert _revocation(_validate(held)) == _OPEN
    assert _revocation(_validate(held, lifts)) == _GOOD
    assert _revocation(_validate(revoked, lifts)) == _REVOKED


def test_a_hold_counts_until_a_newer_list_is_silent() -> None:
    held = crl(_SUB, {_LEAF: NOW - DAY}, reason=_HOLD, this_update=NOW - 3 * _HOUR)
    newer, older = crl(_SUB, this_update=NOW - _HOUR), crl(_SUB, this_update=NOW - 5 * _HOUR)
    assert _revocation(_validate(held, newer)) == _GOOD
    assert _revocation(_validate(held, older)) == _OPEN


# The moment: proof of existence.


def test_with_a_proven_time_a_later_revocation_does_not_spoil_and_is_mentioned() -> None:
    listed = crl(_SUB, {_LEAF: NOW + 2 * DAY}, this_update=NOW + 3 * DAY, next_update=NOW + 9 * DAY)
    about_sub = crl(_ROOT, this_update=NOW + 3 * DAY, next_update=NOW + 9 * DAY)
    given = {"extra_crls": (about_sub, listed), "now": NOW + 4 * DAY}
    proven = _validate(**given)
    assert _revocation(proven) == _GOOD
    assert "revoked only since" in _detail(proven)
    open_one = _validate(**given, time_is_proven=False)
    assert _revocation(open_one) == (Outcome.UNKNOWN, "REVOKED_NO_POE")


def test_a_certificate_revoked_at_the_very_moment_fails_and_a_second_later_does_not() -> None:
    for since, expected in ((NOW, _REVOKED), (NOW + timedelta(seconds=1), _GOOD)):
        assert _revocation(_validate(crl(_SUB, {_LEAF: since}, this_update=NOW + _HOUR))) == expected


def test_with_a_proven_time_an_earlier_revocation_spoils() -> None:
    listed = crl(_SUB, {_LEAF: NOW - DAY}, this_update=NOW + 3 * DAY)
    assert _revocation(_validate(listed, now=NOW + 4 * DAY)) == _REVOKED


def test_an_expired_certificate_is_good_with_an_earlier_proof_and_open_without() -> None:
    leaf = person("leaf", _SUB, not_after=NOW + DAY)
    lists = {"extra_crls": (_ABOUT_SUB, crl(_SUB, this_update=NOW + DAY / 2))}
    assert _revocation(_validate(leaf=leaf, now=NOW + 30 * DAY, **lists)) == _GOOD
    result = _validate(leaf=leaf, now=NOW + 3 * DAY, time_is_proven=False, **lists)
    found = {(each.code, each.outcome, each.sub_indication) for each in result.checks}
    assert ("certificate-validity", Outcome.UNKNOWN, "OUT_OF_BOUNDS_NO_POE") in found


def test_a_list_made_after_the_end_counts_where_its_authority_keeps_the_expired() -> None:
    leaf = person("leaf", _SUB, not_after=NOW + DAY)
    given = {"this_update": NOW + 5 * DAY, "next_update": NOW + 9 * DAY}
    moments = {"now": NOW + 6 * DAY, "leaf": leaf}
    keeps = der.generalized_time(NOW - 100 * DAY)
    kept = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.60"), keeps)
    assert _revocation(_validate(crl(_SUB, **given), **moments)) == _OPEN
    assert _revocation(_validate(crl(_SUB, extensions=[(kept, False)], **given), **moments)) == _GOOD
    late = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.60"), der.generalized_time(NOW + 2 * DAY))
    assert _revocation(_validate(crl(_SUB, extensions=[(late, False)], **given), **moments)) == _OPEN


def test_a_list_from_after_the_moment_of_verifying_is_not_heard() -> None:
    later = crl(_SUB, this_update=NOW + DAY)
    assert _revocation(_validate(later, now=NOW + DAY)) == _GOOD
    assert _revocation(_validate(later, now=NOW)) == _OPEN


def test_what_was_used_is_enough_for_another_verifier_and_nothing_else_is() -> None:
    lists = (crl(_SUB), crl(_SUB, this_update=NOW - 2 * _HOUR), crl(authority("other")))
    result = _validate(*lists, extra_ocsps=(answer(person("another", _SUB), _SUB),))
    assert set(result.crls_used) == {_ABOUT_SUB, lists[0]}
    assert result.ocsps_used == ()
    anchors = TrustStore(anchors=(_ROOT.der,))
    again = validate_path(
        _LEAF.der,
        intermediates=result.certificates_used,
        trust=anchors,
        at=NOW,
        purpose=Purpose.DOCUMENT_SIGNING,
        extra_crls=result.crls_used,
        extra_ocsps=result.ocsps_used,
    )
    assert again == result
    for left_out in result.crls_used:
        rest = tuple(each for each in result.crls_used if each != left_out)
        assert not _validate(trust=_TRUST, extra_crls=rest).passed


# Reading.


def test_a_list_that_is_none_or_contradicts_itself_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = crl(_SUB, {_LEAF: NOW})
    for octets in (b"", b"\x30\x00", sound[:-1], sound + b"\0", _LEAF.der):
        with pytest.raises(CrlMalformed):
            Crl(octets)
    two = der.sequence(der.context(1, b"\xff", constructed=False), der.context(2, b"\xff", constructed=False))
    both = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.28"), two)
    with pytest.raises(CrlMalformed, match="two kinds"):
        Crl(crl(_SUB, extensions=[(both, True)]))
    with pytest.raises(CrlMalformed):
        count_revoked(b"")
    monkeypatch.setattr(revocation_list, "MAX_CRL_BYTES", 10)
    with pytest.raises(CrlMalformed, match="at most"):
        Crl(sound)


def test_a_list_signed_by_another_algorithm_than_it_says_inside_is_refused() -> None:
    tbs, _, signature = (each.encoded for each in der_reader.read(crl(_SUB)).children())
    other = der.sequence(der.oid("1.2.840.10045.4.3.3"))
    with pytest.raises(CrlMalformed, match="differ"):
        Crl(der.sequence(tbs, other, signature))


def test_a_list_whose_entries_are_not_der_is_refused() -> None:
    """Entries are found by the DER of their serial, and strange ones by that of their criticality."""
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    sound = crl(_SUB, entries=[entry(0x123456, NOW - DAY, extensions=[(unknown, True)])])
    for good, bad in ((b"\1\1\xff\4", b"\1\1\1\4"), (b"\2\3\x12\x34\x56", b"\2\3\0\x34\x56")):
        assert sound.count(good) == 1
        Crl(sound)
        with pytest.raises(CrlMalformed):
            Crl(sound.replace(good, bad))


def test_a_serial_is_found_whatever_octets_lie_around_it() -> None:
    serial = _LEAF.serial
    around = [entry(serial << 16 | 0x0203, NOW - DAY), entry((0x0202 << 16) | serial, NOW - DAY)]
    leaf = read_certificate(_LEAF.der)
    assert Crl(crl(_SUB, entries=around)).entry_of(leaf) is None
    assert Crl(crl(_SUB, entries=[*around, entry(serial, NOW - DAY)])).entry_of(leaf) is not None


def test_a_list_is_read_once_and_kept() -> None:
    octets = crl(_SUB)
    assert read_crl(octets) is read_crl(bytes(bytearray(octets)))
