"""Certificates from elsewhere: a request goes out, and what comes back is held against it, its use, and the trusted."""

import pytest
from cryptography import x509

from api.house_trust import HouseTrust
from tests.support.elsewhere import Elsewhere
from tests.support.house import House
from tests.support.pdfs import build_pdf
from trust.authority.errors import ExternalCertificateRefused, RequestUnknown
from trust.authority.model import TIMESTAMP_LABEL
from trust.authority.requests import Asked
from trust.crypto.suites import SoftwareSigner, Suite
from trust.documents import pdf
from trust.kernel.report import Indication
from trust.keys.errors import SignerRefused
from trust.keys.repository import KeyBindings
from trust.ledger.model import Actor
from trust.pki.csr import read_csr
from trust.pki.errors import CertificateMalformed, NameRefused
from trust.pki.profiles import PROFILES, ProfileName
from trust.pki.purposes import Purpose

TESTER = Actor(kind="test", id="test")
SUBJECT = {"C": "CN", "O": "江城市规划局", "CN": "规划局电子印章"}


@pytest.fixture(scope="module")
def elsewhere() -> Elsewhere:
    return Elsewhere()


def ask(house: House, label: str, profile: ProfileName = ProfileName.SEAL) -> Asked:
    return house.services.requests.ask(
        label=label, profile=profile, subject=SUBJECT, owner=label, agency=None, actor=TESTER
    )


def test_a_request_is_signed_by_the_key_it_is_for_and_asks_for_what_the_profile_is_for(house: House) -> None:
    agency = house.sealing_agency()
    asked = ask(house, f"seal/{agency.seal.request_id}")
    csr = x509.load_der_x509_csr(asked.csr)
    assert csr.is_signature_valid
    assert read_csr(asked.csr).spki == read_csr(ask(house, f"seal/{agency.seal.request_id}").csr).spki
    usage = csr.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [each.dotted_string for each in usage] == list(PROFILES[ProfileName.SEAL].extended_key_usage)
    with pytest.raises(SignerRefused, match="is not certified as"):
        ask(house, f"seal/{agency.seal.request_id}", ProfileName.TIMESTAMP)
    with pytest.raises(NameRefused):
        house.services.requests.ask(
            label=TIMESTAMP_LABEL, profile=ProfileName.TIMESTAMP, subject={"CN": "x"}, owner="x", agency=None,
            actor=TESTER,
        )  # fmt: skip


def test_a_seal_goes_on_under_a_certificate_from_elsewhere_and_strangers_who_trust_that_believe_it(
    house: House, elsewhere: Elsewhere
) -> None:
    agency = house.sealing_agency()
    before = agency.seal_document(build_pdf()).document
    asked = ask(house, f"seal/{agency.seal.request_id}")
    leaf = elsewhere.certified(asked.csr)
    requests = house.services.requests
    with pytest.raises(ExternalCertificateRefused, match="chain"):
        requests.take(asked.id, certificate=leaf, chain=(elsewhere.issuing.certificate,), actor=TESTER)
    requests.trust_anchor(
        elsewhere.root.certificate, purposes=frozenset({Purpose.TIMESTAMPING}), actor=TESTER
    )
    with pytest.raises(ExternalCertificateRefused, match="not trusted for document signing"):
        requests.take(asked.id, certificate=leaf, chain=(elsewhere.issuing.certificate,), actor=TESTER)
    requests.trust_anchor(
        elsewhere.root.certificate, purposes=frozenset({Purpose.DOCUMENT_SIGNING}), actor=TESTER
    )
    binding = requests.take(asked.id, certificate=leaf, chain=(elsewhere.issuing.certificate,), actor=TESTER)
    assert binding.chain == (elsewhere.issuing.certificate, elsewhere.root.certificate)
    with pytest.raises(ExternalCertificateRefused, match="answered before"):
        requests.take(asked.id, certificate=leaf, chain=(elsewhere.issuing.certificate,), actor=TESTER)

    seal = house.services.seals.renew.renew(agency.seal, actor=TESTER)
    assert seal.certificate == leaf
    trust = house.services.trust.current()
    report = pdf.validate(before, trust=trust, at=house.services.clock.now())
    assert report.indication is Indication.VALID


def test_what_is_for_another_key_another_use_or_nobodys_request_is_refused(
    house: House, elsewhere: Elsewhere
) -> None:
    requests = house.services.requests
    requests.trust_anchor(
        elsewhere.root.certificate, purposes=frozenset(Purpose) - {Purpose.ANY}, actor=TESTER
    )
    asked = ask(house, TIMESTAMP_LABEL, ProfileName.TIMESTAMP)
    chain = (elsewhere.issuing.certificate,)
    other = SoftwareSigner.generate(Suite.P256_SHA256).spki
    for certificate, said in (
        (elsewhere.certified(asked.csr, ProfileName.TIMESTAMP, key=other), "another key"),
        (elsewhere.certified(asked.csr, ProfileName.SEAL), "usage"),
        (elsewhere.certified(asked.csr, ProfileName.ISSUING_AUTHORITY), "an authority's"),
    ):
        with pytest.raises(ExternalCertificateRefused, match=said):
            requests.take(asked.id, certificate=certificate, chain=chain, actor=TESTER)
    with pytest.raises(RequestUnknown):
        requests.take("certreq_" + "0" * 32, certificate=chain[0], chain=(), actor=TESTER)
    with pytest.raises(CertificateMalformed):
        requests.take(asked.id, certificate=b"nonsense", chain=(), actor=TESTER)
    with pytest.raises(ExternalCertificateRefused, match="authority"):
        requests.trust_anchor(elsewhere.leaf().certificate, purposes=(), actor=TESTER)
    requests.take(
        asked.id, certificate=elsewhere.certified(asked.csr, ProfileName.TIMESTAMP), chain=chain, actor=TESTER
    )
    with house.services.database.read() as work:
        assert KeyBindings(work).require(TIMESTAMP_LABEL).chain[-1] == elsewhere.root.certificate
    assert house.services.timestamps.token(bytes(32))


def test_an_anchor_that_is_no_longer_believed_is_not_among_the_trusted(
    house: House, elsewhere: Elsewhere
) -> None:
    requests, root = house.services.requests, elsewhere.root.certificate
    requests.trust_anchor(root, purposes=frozenset({Purpose.TIMESTAMPING}), actor=TESTER)

    def believed() -> bool:
        services = house.services
        fresh = HouseTrust(database=services.database, clock=services.clock, origin="x")
        return root in fresh.current().anchors

    assert believed()
    requests.trust_anchor(root, purposes=(), actor=TESTER)
    assert not believed()
