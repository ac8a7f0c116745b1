"""RFC 9901 §7.1, point by point: what is put in place, and what is refused."""

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.credentials import NOW, SeededRandomness, issue, p256_signer, sign
from trust.credentials import jws, sd_jwt
from trust.credentials.disclosures import Disclosure, issue_payload, path_text, process
from trust.credentials.encoding import base64url_encode
from trust.credentials.errors import (
    AlgorithmRefused,
    CredentialMalformed,
    DisclosureRefused,
    FieldUnknown,
)
from trust.kernel.report import Indication

SIGNER = p256_signer()


def encoded(*parts):
    return base64url_encode(json.dumps(parts).encode())


def digest(text):
    return base64url_encode(hashlib.sha256(text.encode()).digest())


def verify(text):
    return sd_jwt.verify(text, resolve_key=lambda _: SIGNER.spki, at=NOW)


NAME = encoded("salt", "name", "Li")
OTHER = encoded("other", "name", "Wang")
ELEMENT = encoded("salt", "Li")


def test_the_digest_of_the_rfcs_example_is_the_rfcs():
    # RFC 9901 §4.2.3.
    text = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    disclosure = Disclosure.parse(text)
    assert disclosure.digest == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    assert (disclosure.name, disclosure.value) == ("family_name", "Möbius")


@pytest.mark.parametrize(
    ("payload", "disclosures"),
    [
        ({"_sd": [digest(NAME), digest(NAME)]}, [NAME]),
        ({"_sd": [digest(NAME)], "a": {"_sd": [digest(NAME)]}}, [NAME]),
        ({"_sd": ["A" * 43], "a": [{"...": "A" * 43}]}, []),
        ({"_sd": [digest(NAME)]}, [NAME, NAME]),
        ({}, [NAME]),
        ({"_sd": [digest(NAME)]}, [NAME, OTHER]),
        ({"_sd": [digest(NAME)], "name": "plain"}, [NAME]),
        ({"_sd": [digest(NAME), digest(OTHER)]}, [NAME, OTHER]),
        ({"_sd": [digest(ELEMENT)]}, [ELEMENT]),
        ({"a": [{"...": digest(NAME)}]}, [NAME]),
    ],
    ids=[
        "a digest twice in one array",
        "a digest twice at two levels",
        "a decoy twice",
        "a disclosure twice",
        "a disclosure without a digest",
        "one disclosure too many",
        "a name that is there already",
        "two disclosures of one name",
        "an element for a claim",
        "a claim for an element",
    ],
)
def test_disclosures_that_do_not_belong_are_refused(payload, disclosures):
    with pytest.raises(DisclosureRefused):
        process(payload, disclosures)
    report = verify(sd_jwt.compact(sign(SIGNER, {"alg": "ES256"}, payload), disclosures)).report
    assert report.reasons() == ("disclosures",)
    assert report.indication is Indication.INVALID


@pytest.mark.parametrize(
    "payload",
    [
        {"_sd": "x"},
        {"_sd": [7]},
        {"_sd": [digest(NAME)[:-1]]},
        {"_sd": [digest(NAME)[:22]]},
        {"_sd": [digest(NAME) + "="]},
        {"_sd": None},
        {"...": digest(NAME)},
        {"a": {"...": digest(NAME)}},
        {"a": [{"...": digest(NAME), "b": 1}]},
        {"a": [{"...": [digest(NAME)]}]},
        {"_sd_alg": "sha-512"},
        {"_sd_alg": "SHA-256"},
        {"_sd_alg": None},
    ],
)
def test_digests_out_of_form_are_refused(payload):
    with pytest.raises(CredentialMalformed):
        process(payload, [])


@pytest.mark.parametrize(
    "disclosure",
    [
        encoded("salt"),
        encoded("salt", "name", "value", "more"),
        encoded(7, "name", "value"),
        encoded("salt", 7, "value"),
        encoded("salt", "_sd", []),
        encoded("salt", "...", "x"),
        encoded("salt", "_sd_alg", "sha-1"),
        base64url_encode(b'{"salt":1}'),
        base64url_encode(b'["salt","name",{"a":1,"a":2}]'),
        base64url_encode(b'["salt","name",NaN]'),
        base64url_encode(b'["salt","name",1e999]'),
        base64url_encode(b'["salt","name","\\ud800"]'),
        base64url_encode(b'["salt","name",' + b"[" * 40 + b"]" * 40 + b"]"),
        base64url_encode(b'["salt","name",' + b"[" * 50_000),
        base64url_encode(b'["salt","name","\xff"]'),
        NAME + "=",
        NAME[:-1],
        "not base64url!",
        "x" * 70_000,
    ],
)
def test_a_malformed_disclosure_is_refused_even_where_nothing_refers_to_it(disclosure):
    with pytest.raises(CredentialMalformed):
        process({"_sd": [digest(disclosure)]}, [disclosure])
    assert verify(sd_jwt.compact(sign(SIGNER, {"alg": "ES256"}, {}), [disclosure])).report.indication is (
        Indication.INVALID
    )


def test_a_stray_last_bit_of_base64_makes_another_text_and_is_refused():
    text = encoded("salt", "name", "Lin")
    assert len(text) % 4
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    bent = text[:-1] + last[last.index(text[-1]) + 1]
    with pytest.raises(CredentialMalformed, match="canonical"):
        process({"_sd": [digest(bent)]}, [bent])


def test_nesting_through_disclosures_is_bounded():
    inner = encoded("s", "a", 1)
    chain = [inner]
    for level in range(40):
        chain.append(encoded(f"s{level}", "a", {"_sd": [digest(chain[-1])]}))
    with pytest.raises(CredentialMalformed, match="nested"):
        process({"_sd": [digest(chain[-1])]}, chain)


def test_a_thousand_and_one_disclosures_are_not_read():
    with pytest.raises(CredentialMalformed, match="at most"):
        process({}, [encoded(str(number), "x") for number in range(1001)])


def test_a_disclosure_inside_a_disclosure_needs_its_outer_one():
    issued = issue(SIGNER, {"a": {"b": 1}}, [("a",), ("a", "b")])
    parsed = sd_jwt.SdJwt.parse(issued)
    inner = next(text for text in parsed.disclosures if Disclosure.parse(text).name == "b")
    outer = next(text for text in parsed.disclosures if Disclosure.parse(text).name == "a")
    assert verify(sd_jwt.compact(parsed.token.compact, [outer])).claims == {"a": {}}
    assert verify(sd_jwt.compact(parsed.token.compact, [inner])).report.reasons() == ("disclosures",)


def test_decoys_hide_how_many_claims_there_are_and_change_nothing():
    payload, disclosures = issue_payload({"a": 1, "b": 2}, [("a",)], SeededRandomness(), decoys=5)
    assert len(payload["_sd"]) == 6
    assert payload["_sd"] == sorted(payload["_sd"])
    assert process(payload, [disclosures[0].encoded]).claims == {"b": 2, "a": 1}


def test_validity_is_read_from_the_processed_payload():
    issued = issue(SIGNER, {"exp": int(NOW.timestamp()) - 1, "x": 1}, [("exp",)])
    assert verify(issued).report.reasons() == ("validity",)


def test_a_claim_with_a_reserved_name_is_never_issued():
    for name in ("_sd", "...", "_sd_alg"):
        with pytest.raises(CredentialMalformed):
            issue_payload({"a": {name: 1}}, [], SeededRandomness())


def test_a_field_that_is_not_there_is_neither_hidden_nor_shown():
    with pytest.raises(FieldUnknown, match="/b"):
        issue_payload({"a": 1}, [("b",)], SeededRandomness())
    with pytest.raises(FieldUnknown, match="/b"):
        sd_jwt.present(issue(SIGNER, {"a": 1}, [("a",)]), [("b",)])


def test_presenting_leaves_an_old_key_binding_behind():
    assert sd_jwt.present(issue(SIGNER, {"a": 1}, [("a",)]) + "old.key.binding", []).endswith("~")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "ES384", "RS256", "", None, 7, ["ES256"]])
def test_no_other_algorithm_is_written_or_believed(algorithm):
    with pytest.raises(AlgorithmRefused):
        jws.signing_input({"alg": algorithm}, {})
    header = base64url_encode(json.dumps({"alg": algorithm}).encode())
    for signature in ("", base64url_encode(bytes(64))):
        report = verify(f"{header}.e30.{signature}~").report
        assert "algorithm" in report.reasons()
        assert report.indication is Indication.INVALID


def test_a_signature_of_another_length_or_of_zeros_is_refused():
    token = sign(SIGNER, {"alg": "ES256"}, {"a": 1})
    head = token.rsplit(".", 1)[0]
    for octets in (b"", bytes(64), bytes(63), b"\xff" * 64, b"\xff" * 65):
        report = verify(f"{head}.{base64url_encode(octets)}~").report
        assert report.reasons() == ("signature",)


@pytest.mark.parametrize(
    "bend",
    [
        lambda text: text.rstrip("~"),
        lambda text: text + "~",
        lambda text: text.replace(".", "..", 1),
        lambda text: text.replace(".", "=.", 1),
        lambda text: "é" + text,
        lambda text: text + "x.y",
        lambda text: " " + text,
        lambda text: text + "\n",
        lambda text: text + "A" * 1_000_001,
    ],
)
def test_a_text_out_of_form_is_invalid_and_never_an_exception(bend):
    report = verify(bend(issue(SIGNER, {"a": 1}, [("a",)]))).report
    assert report.indication is Indication.INVALID


@pytest.mark.parametrize(
    "octets",
    [
        b'{"alg":"ES256","alg":"none"}',
        b"[]",
        b"1",
        b"",
        b'{"alg":"ES256","crit":["exp"]}',
        b"\xff",
        b'{"a":01}',
    ],
)
def test_a_header_out_of_form_is_refused(octets):
    with pytest.raises(CredentialMalformed):
        jws.parse(f"{base64url_encode(octets)}.e30.AAAA")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcdé", min_size=1, max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def paths_of(value, path=()):
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield (*path, step)
        yield from paths_of(item, (*path, step))


@settings(deadline=None)
@given(
    claims=st.dictionaries(st.text("abcdé", min_size=1, max_size=3), json_values, max_size=5), data=st.data()
)
def test_whatever_is_hidden_comes_back_when_all_is_shown(claims, data):
    every = list(paths_of(claims))
    hidden = data.draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    payload, disclosures = issue_payload(claims, hidden, SeededRandomness(), decoys=1)
    token = sign(SIGNER, {"alg": "ES256"}, payload)
    whole = sd_jwt.compact(token, disclosures)
    assert verify(whole).claims == claims
    shown = data.draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    seen = verify(sd_jwt.present(whole, shown))
    assert seen.report.indication is Indication.VALID
    needed = {step for path in shown for step in (path[:count] for count in range(1, len(path) + 1))}
    assert len(seen.disclosed) == len(needed & set(hidden))


@settings(deadline=None)
@given(st.text(st.sampled_from('eyJ.~_-AQ{}"[]é\x00'), max_size=60))
def test_no_text_makes_the_verifier_fall_over(text):
    assert verify(text).report.indication is Indication.INVALID


def test_a_path_is_shown_as_a_json_pointer():
    assert path_text(("a/b", 0, "c~d")) == "/a~1b/0/c~0d"
