"""Tricks with the CMS message inside /Contents; the document around it is honest.

What a stranger can do without the key, and what a signer can do who wants a message that two verifiers read
differently.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from tests.support.attacks.recipes import Recipe, attribute
from tests.support.attacks.victim import Victim, clean_document, draft
from tests.support.pki import Authority, Leaf
from trust.crypto import der, der_reader
from trust.crypto.cms import ID_CT_TST_INFO, ParsedCms, add_timestamp
from trust.crypto.cms_oids import (
    ID_AA_SIGNATURE_TIMESTAMP,
    ID_AA_SIGNING_CERTIFICATE,
    ID_AA_SIGNING_CERTIFICATE_V2,
    ID_CONTENT_TYPE,
    ID_MESSAGE_DIGEST,
)
from trust.crypto.digests import Digest, algorithm_identifier, sha256
from trust.documents.pdf import PreparedDocument, embed
from trust.pki.profiles import ProfileName

_SHA512 = algorithm_identifier(Digest.SHA512)
_SHA1 = der.sequence(der.oid("1.3.14.3.2.26"))
_ECDSA_SHA512 = der.sequence(der.oid("1.2.840.10045.4.3.4"))
_RSA_SHA256 = der.sequence(der.oid("1.2.840.113549.1.1.11"), der.null())
_ID_ENVELOPED_DATA = "1.2.840.113549.1.7.3"


def _draft(victim: Victim) -> PreparedDocument:
    return draft(victim, clean_document(victim.kind))


def _cooked(victim: Victim, change: Callable[[Recipe], Recipe]) -> bytes:
    prepared = _draft(victim)
    return embed(prepared, change(Recipe(leaf=victim.leaf, digest=prepared.digest)).message())


def honest(victim: Victim) -> bytes:
    """No attack: the recipe as it stands, to show that the builder makes what is valid."""
    return _cooked(victim, lambda recipe: recipe)


def _without(recipe: Recipe, *places: int) -> Recipe:
    standard = recipe.standard_attributes()
    return replace(recipe, attributes=tuple(standard[at] for at in range(3) if at not in places))


def _with_attributes(recipe: Recipe, *added: bytes, without: int | None = None) -> Recipe:
    standard = [each for at, each in enumerate(recipe.standard_attributes()) if at != without]
    return replace(recipe, attributes=(*standard, *added))


def content_inside(victim: Victim) -> bytes:
    """The message brings content of its own, with the digest of the document."""
    return _cooked(victim, lambda recipe: replace(recipe, content=b"something else"))


def content_inside_that_is_empty(victim: Victim) -> bytes:
    """The message brings an empty content of its own."""
    return _cooked(victim, lambda recipe: replace(recipe, content=b""))


def content_inside_that_was_signed(victim: Victim) -> bytes:
    """The signed digest is that of the content inside, and the document is another."""
    return _cooked(victim, lambda recipe: replace(recipe, content=b"inside", digest=sha256(b"inside")))


def signer_twice(victim: Victim) -> bytes:
    """The same SignerInfo twice."""
    return _cooked(victim, lambda recipe: replace(recipe, signers=2))


def signer_and_a_stranger(victim: Victim) -> bytes:
    """A second SignerInfo by somebody nobody trusts."""
    prepared = _draft(victim)
    own = Recipe(leaf=victim.leaf, digest=prepared.digest)
    other = Recipe(leaf=victim.stranger.leaf(), digest=prepared.digest).signer_info()
    return embed(prepared, replace(own, also=(other,)).message())


def stranger_before_the_signer(victim: Victim) -> bytes:
    """A stranger's SignerInfo over this document first, the true signer's over another after it."""
    prepared = _draft(victim)
    other = Recipe(leaf=victim.leaf, digest=sha256(b"another")).signer_info()
    own = Recipe(leaf=victim.stranger.leaf(), digest=prepared.digest, also=(other,))
    return embed(prepared, own.message())


def no_signer(victim: Victim) -> bytes:
    """The set of SignerInfos is empty: a message that only carries certificates."""
    return _cooked(victim, lambda recipe: replace(recipe, signers=0))


def no_certificates(victim: Victim) -> bytes:
    """The message holds no certificate."""
    return _cooked(victim, lambda recipe: replace(recipe, certificates=()))


def certificates_of_others(victim: Victim) -> bytes:
    """The message holds only certificates of others."""
    return _cooked(victim, lambda recipe: replace(recipe, certificates=recipe.leaf.chain))


def no_signed_attributes(victim: Victim) -> bytes:
    """The signature is made over the content itself."""
    prepared = _draft(victim)
    _, length, second, _ = prepared.byte_range
    covered = prepared.data[:length] + prepared.data[second:]
    recipe = Recipe(leaf=victim.leaf, digest=prepared.digest, attributes=(), presigned=covered)
    return embed(prepared, recipe.message())


def signed_attributes_as_content(victim: Victim) -> bytes:
    """The signed attributes of a true message are offered as content signed without attributes."""
    prepared = _draft(victim)
    recipe = Recipe(leaf=victim.leaf, digest=prepared.digest)
    signed_set = der.tlv(der.SET, b"".join(sorted(recipe.standard_attributes())))
    return embed(prepared, replace(recipe, attributes=(), presigned=signed_set).message())


def no_content_type(victim: Victim) -> bytes:
    """The signed attribute content-type is missing."""
    return _cooked(victim, lambda recipe: _without(recipe, 0))


def no_message_digest(victim: Victim) -> bytes:
    """The signed attribute message-digest is missing."""
    return _cooked(victim, lambda recipe: _without(recipe, 1))


def no_signing_certificate(victim: Victim) -> bytes:
    """The signed attribute that binds the certificate is missing: it could be exchanged."""
    return _cooked(victim, lambda recipe: _without(recipe, 2))


def signing_certificate_of_version_1_only(victim: Victim) -> bytes:
    """The certificate is bound by SHA-1 alone."""
    bound = der.sequence(der.sequence(der.sequence(der.octet_string(bytes(20)))))
    return _cooked(
        victim,
        lambda recipe: _with_attributes(recipe, attribute(ID_AA_SIGNING_CERTIFICATE, bound), without=2),
    )


def signing_certificate_of_another(victim: Victim) -> bytes:
    """The bound certificate is another one."""
    other = victim.pki.leaf().certificate
    bound = der.sequence(der.sequence(der.sequence(der.octet_string(sha256(other)))))
    return _cooked(
        victim,
        lambda recipe: _with_attributes(recipe, attribute(ID_AA_SIGNING_CERTIFICATE_V2, bound), without=2),
    )


def signing_certificate_named_second(victim: Victim) -> bytes:
    """The bound certificates are another's first, the signer's second."""
    other = victim.pki.leaf().certificate
    names = tuple(der.sequence(der.octet_string(sha256(each))) for each in (other, victim.leaf.certificate))
    bound = der.sequence(der.sequence(*names))
    return _cooked(
        victim,
        lambda recipe: _with_attributes(recipe, attribute(ID_AA_SIGNING_CERTIFICATE_V2, bound), without=2),
    )


def message_digest_twice(victim: Victim) -> bytes:
    """Two message-digest attributes, one of them right."""
    wrong = attribute(ID_MESSAGE_DIGEST, der.octet_string(bytes(32)))
    return _cooked(victim, lambda recipe: _with_attributes(recipe, wrong))


def message_digest_with_two_values(victim: Victim) -> bytes:
    """One message-digest attribute with two values, one of them right."""
    prepared = _draft(victim)
    both = attribute(ID_MESSAGE_DIGEST, der.octet_string(bytes(32)), der.octet_string(prepared.digest))
    recipe = _with_attributes(Recipe(leaf=victim.leaf, digest=prepared.digest), both, without=1)
    return embed(prepared, recipe.message())


def message_digest_cut_off(victim: Victim) -> bytes:
    """Only the first octets of the digest are signed."""
    return _cooked(victim, lambda recipe: replace(recipe, digest=recipe.digest[:8]))


def message_digest_empty(victim: Victim) -> bytes:
    """A digest of no octets is signed."""
    return _cooked(victim, lambda recipe: replace(recipe, digest=b""))


def attributes_out_of_order(victim: Victim) -> bytes:
    """The signed attributes are not in DER's order, and signed as they stand."""
    return _cooked(
        victim,
        lambda recipe: replace(
            recipe,
            attributes=tuple(sorted(recipe.standard_attributes(), reverse=True)),
            sorted_attributes=False,
        ),
    )


def content_type_of_a_timestamp(victim: Victim) -> bytes:
    """The message says that a TSTInfo was signed."""
    return _cooked(victim, lambda recipe: replace(recipe, content_type=ID_CT_TST_INFO))


def content_type_that_differs_inside(victim: Victim) -> bytes:
    """The signed content-type is not that of the message."""
    other = attribute(ID_CONTENT_TYPE, der.oid(ID_CT_TST_INFO))
    return _cooked(victim, lambda recipe: _with_attributes(recipe, other, without=0))


def message_of_another_kind(victim: Victim) -> bytes:
    """The message calls itself EnvelopedData."""
    return _cooked(victim, lambda recipe: replace(recipe, oid=_ID_ENVELOPED_DATA))


def digest_algorithm_sha_1(victim: Victim) -> bytes:
    """The message says SHA-1 about a SHA-256 digest."""
    return _cooked(victim, lambda recipe: replace(recipe, digest_algorithm=_SHA1, listed_algorithms=(_SHA1,)))


def digest_algorithm_sha_512(victim: Victim) -> bytes:
    """The message says SHA-512 about a SHA-256 digest."""
    return _cooked(
        victim, lambda recipe: replace(recipe, digest_algorithm=_SHA512, listed_algorithms=(_SHA512,))
    )


def digest_algorithm_not_listed(victim: Victim) -> bytes:
    """The signer's digest algorithm is not among those the message announces."""
    return _cooked(victim, lambda recipe: replace(recipe, listed_algorithms=(_SHA512,)))


def signature_algorithm_sha_512(victim: Victim) -> bytes:
    """The message says ECDSA with SHA-512 about a signature with SHA-256."""
    return _cooked(victim, lambda recipe: replace(recipe, signature_algorithm=_ECDSA_SHA512))


def signature_algorithm_rsa(victim: Victim) -> bytes:
    """The message says RSA about a signature by ECDSA."""
    return _cooked(victim, lambda recipe: replace(recipe, signature_algorithm=_RSA_SHA256))


def signature_empty(victim: Victim) -> bytes:
    """A signature of no octets."""
    prepared = _draft(victim)
    leaf = replace(victim.leaf, signer=_Fixed(victim.leaf, b""))  # type: ignore[arg-type]  # signs with a constant
    return embed(prepared, Recipe(leaf=leaf, digest=prepared.digest).message())


def signature_of_zeros(victim: Victim) -> bytes:
    """r and s are zero: verifiers that do not check the range accept it for any message (CVE-2022-21449)."""
    prepared = _draft(victim)
    zeros = der.sequence(der.integer(0), der.integer(0))
    leaf = replace(victim.leaf, signer=_Fixed(victim.leaf, zeros))  # type: ignore[arg-type]  # signs with a constant
    return embed(prepared, Recipe(leaf=leaf, digest=prepared.digest).message())


class _Fixed:
    """A signer whose signature is always the same octets."""

    def __init__(self, leaf: Leaf, signature: bytes) -> None:
        self.suite = leaf.signer.suite
        self.spki = leaf.signer.spki
        self._signature = signature

    def sign(self, data: bytes) -> bytes:
        return self._signature


def signed_by_another_key(victim: Victim) -> bytes:
    """The signature is by a key that is not the certificate's."""
    return _cooked(
        victim, lambda recipe: replace(recipe, leaf=replace(recipe.leaf, signer=victim.pki.leaf().signer))
    )


def signed_by_a_stranger(victim: Victim) -> bytes:
    """Everything is right, but nobody trusts the authority, whose names are the same."""
    prepared = _draft(victim)
    return embed(prepared, Recipe(leaf=victim.stranger.leaf(), digest=prepared.digest).message())


def signed_by_a_stranger_who_brings_the_true_chain(victim: Victim) -> bytes:
    """A stranger's certificate together with the authorities that are trusted."""
    prepared = _draft(victim)
    leaf = replace(
        victim.stranger.leaf(), chain=(victim.pki.issuing.certificate, victim.pki.root.certificate)
    )
    return embed(prepared, Recipe(leaf=leaf, digest=prepared.digest).message())


def signed_by_an_application(victim: Victim) -> bytes:
    """The certificate is trusted, for something else."""
    prepared = _draft(victim)
    return embed(
        prepared, Recipe(leaf=victim.pki.leaf(ProfileName.APPLICATION), digest=prepared.digest).message()
    )


def signed_by_the_timestamp_authority(victim: Victim) -> bytes:
    """The certificate is trusted, for timestamps."""
    prepared = _draft(victim)
    return embed(prepared, Recipe(leaf=victim.pki.timestamp_authority, digest=prepared.digest).message())


def signed_after_the_certificate_ran_out(victim: Victim) -> bytes:
    """The certificate ran out before."""
    prepared = _draft(victim)
    stale = victim.pki.leaf(not_after=victim.pki.now - timedelta(hours=3))
    return embed(prepared, Recipe(leaf=stale, digest=prepared.digest).message())


def signed_before_the_certificate_began(victim: Victim) -> bytes:
    """The certificate is not valid yet."""
    prepared = _draft(victim)
    early = victim.pki.leaf(not_before=victim.pki.now + timedelta(hours=3))
    return embed(prepared, Recipe(leaf=early, digest=prepared.digest).message())


def signed_by_a_leaf_below_a_leaf(victim: Victim) -> bytes:
    """A seal's certificate issued a further one, although it is no authority."""
    prepared = _draft(victim)
    false_authority = Authority(
        certificate=victim.leaf.certificate,
        signer=victim.leaf.signer,
        chain=(victim.pki.issuing.certificate,),
    )
    below = victim.pki.leaf(authority=false_authority)
    return embed(prepared, Recipe(leaf=below, digest=prepared.digest).message())


def _rewritten(victim: Victim, change: Callable[[bytes], bytes]) -> bytes:
    """The victim's own message with its octets rewritten, nothing signed anew."""
    return victim.with_message(change(victim.message))


def length_written_long(victim: Victim) -> bytes:
    """BER: the outer length in three octets where two do."""
    return _rewritten(
        victim, lambda message: b"\x30\x83" + (len(message) - 4).to_bytes(3, "big") + message[4:]
    )


def length_indefinite(victim: Victim) -> bytes:
    """BER: the outer length is indefinite."""
    return _rewritten(victim, lambda message: b"\x30\x80" + message[4:] + b"\0\0")


def length_indefinite_inside(victim: Victim) -> bytes:
    """BER: the outer length is definite, that of SignedData is not."""

    def change(message: bytes) -> bytes:
        fields = der_reader.read(message).children()
        inner = fields[1].only()
        return der.sequence(fields[0].encoded, der.tlv(0xA0, b"\x30\x80" + inner.content + b"\0\0"))

    return _rewritten(victim, change)


def octets_after_the_message(victim: Victim) -> bytes:
    """One octet follows the message inside the string."""
    return _rewritten(victim, lambda message: message + b"\x05\x00")


def signature_in_pieces(victim: Victim) -> bytes:
    """BER: the signature value is a constructed OCTET STRING."""

    def change(message: bytes) -> bytes:
        value = ParsedCms.parse(message).signature
        whole = der.octet_string(value)
        pieces = der.tlv(0x24, der.octet_string(value[:20]) + der.octet_string(value[20:]))
        return _relengthened(message, whole, pieces)

    return _rewritten(victim, change)


def _relengthened(message: bytes, old: bytes, new: bytes) -> bytes:
    """The message with one value replaced and the lengths around it made right."""
    place = message.index(old)

    def rebuild(element: der_reader.Element) -> bytes:
        if element.start == place and element.encoded == old:
            return new
        if not element.tag & 0x20 or not element.start <= place < element.end:
            return element.encoded
        return der.tlv(element.tag, b"".join(rebuild(child) for child in element.children()))

    return rebuild(der_reader.read(message))


def unsigned_attribute_that_is_none(victim: Victim) -> bytes:
    """Among the unsigned attributes is an INTEGER."""
    return _cooked(victim, lambda recipe: replace(recipe, unsigned=(der.integer(7),)))


def unsigned_attribute_of_garbage(victim: Victim) -> bytes:
    """The unsigned attributes are octets that are no DER."""
    return _cooked(victim, lambda recipe: replace(recipe, unsigned=(b"\xff\xff\xff\xff",)))


def unsigned_attribute_twice(victim: Victim) -> bytes:
    """The same unsigned attribute twice."""
    token = attribute(ID_AA_SIGNATURE_TIMESTAMP, der.sequence())
    return _cooked(victim, lambda recipe: replace(recipe, unsigned=(token, token)))


def timestamp_of_garbage(victim: Victim) -> bytes:
    """The signature timestamp is a SEQUENCE of nothing."""
    token = attribute(ID_AA_SIGNATURE_TIMESTAMP, der.sequence())
    return _cooked(victim, lambda recipe: replace(recipe, unsigned=(token,)))


def timestamp_that_is_a_signature(victim: Victim) -> bytes:
    """The signature timestamp is a message of the signer's own."""
    token = attribute(ID_AA_SIGNATURE_TIMESTAMP, victim.leaf.sign_detached(b"x"))
    return _cooked(victim, lambda recipe: replace(recipe, unsigned=(token,)))


def _stamped(victim: Victim, stamp: Callable[[bytes], bytes]) -> bytes:
    prepared = _draft(victim)
    bare = Recipe(leaf=victim.leaf, digest=prepared.digest).message()
    return embed(prepared, add_timestamp(bare, stamp(ParsedCms.parse(bare).signature)))


def timestamp_of_another_signature(victim: Victim) -> bytes:
    """A true token, over another signature."""
    other = ParsedCms.parse(victim.leaf.sign_detached(b"another")).signature
    return _stamped(victim, lambda _: victim.pki.token(sha256(other)))


def timestamp_of_the_document(victim: Victim) -> bytes:
    """A true token, over the document's digest in the place of the signature's."""
    digest = _draft(victim).digest
    return _stamped(victim, lambda _: victim.pki.token(digest))


def timestamp_by_a_stranger(victim: Victim) -> bytes:
    """The token is right, but nobody trusts its authority."""
    return _stamped(victim, lambda signature: victim.stranger.token(sha256(signature)))


def timestamp_by_the_signer(victim: Victim) -> bytes:
    """The signer stamps their own signature with a certificate that is for signing."""
    return _stamped(victim, lambda signature: victim.pki.token(sha256(signature), authority=victim.leaf))


def timestamp_from_the_future(victim: Victim) -> bytes:
    """The token is from a day after the moment of verifying."""
    tomorrow = victim.pki.now + timedelta(days=1)
    return _stamped(victim, lambda signature: victim.pki.token(sha256(signature), gen_time=tomorrow))


def timestamp_from_before_the_certificate(victim: Victim) -> bytes:
    """The token is older than the certificate of the signer."""
    long_ago = victim.leaf.parsed.not_before - timedelta(days=1)
    return _stamped(victim, lambda signature: victim.pki.token(sha256(signature), gen_time=long_ago))


def timestamp_with_another_moment(victim: Victim) -> bytes:
    """The moment in the token is changed where it stands."""
    moment = victim.pki.now.strftime("%Y%m%d%H%M%SZ").encode()
    earlier = (victim.pki.now - timedelta(days=1)).strftime("%Y%m%d%H%M%SZ").encode()
    return _rewritten(victim, lambda message: message.replace(moment, earlier))


def stale_signer_with_a_timestamp_by_a_stranger(victim: Victim) -> bytes:
    """The signer's certificate has run out; a stranger's token says that it was signed before."""
    pki = victim.pki
    leaf = pki.leaf(not_before=pki.now - timedelta(days=2), not_after=pki.now - timedelta(hours=3))
    prepared = _draft(victim)
    bare = Recipe(leaf=leaf, digest=prepared.digest).message()
    before = pki.now - timedelta(days=1)
    token = victim.stranger.token(sha256(ParsedCms.parse(bare).signature), gen_time=before)
    return embed(prepared, add_timestamp(bare, token))
