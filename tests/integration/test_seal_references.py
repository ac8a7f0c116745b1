"""Sealing by reference: the document of an earlier use, within the application that made it, and no other."""

from dataclasses import replace

import pytest

from seals.errors import SealUseUnknown
from seals.model import SealUseState
from seals.uses.documents import DocumentRef
from seals.uses.seal_document import SealedDocument
from seals.uses.sign_digests import DigestsRequest
from tests.support.house import ITEM, House, SealingAgency
from tests.support.pdfs import build_pdf
from trust.crypto.digests import sha256
from trust.documents import pdf
from trust.documents.pdf import Placement
from trust.kernel.report import Indication
from trust.keys.errors import SignerAway


@pytest.fixture
def desk(shared_house: House) -> SealingAgency:
    return shared_house.sealing_agency(digests=True)


def seal_again(desk: SealingAgency, use_id: str, *, key: str | None = None) -> SealedDocument:
    request = desk.request(use_id.encode(), key=key, placement=Placement(page=1, x_mm=20, y_mm=40))
    return desk.house.services.seals.seal_document(
        replace(request, document=DocumentRef(use_id=use_id)), desk.application
    )


def test_a_document_with_two_seals_is_sealed_twice_each_a_use_of_its_own(desk: SealingAgency) -> None:
    services = desk.house.services
    once = desk.seal_document(build_pdf())
    twice = seal_again(desk, once.use.id)
    assert twice.document.startswith(once.document)
    report = pdf.validate(twice.document, trust=services.trust.current(), at=services.clock.now())
    assert [part.indication for part in report.parts] == [Indication.VALID] * 2
    assert desk.uses_taken() == 2
    intended = desk.events("seal-use.intended")[-1]
    assert intended["content"]["document_ref"] == once.use.id
    assert intended["content"]["original_sha256"] == sha256(once.document).hex()


def test_a_retry_by_reference_gets_the_same_use(desk: SealingAgency) -> None:
    once = desk.seal_document(build_pdf())
    first, again = seal_again(desk, once.use.id, key="k"), seal_again(desk, once.use.id, key="k")
    assert (first.use.id, first.document) == (again.use.id, again.document)


def test_what_is_not_the_applications_own_sealed_document_is_not_found(
    desk: SealingAgency, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = desk.house.services
    theirs = desk.house.sealing_agency().seal_document(build_pdf()).use.id
    sibling = desk.house.room.program(desk.administrator, *desk.application.scopes)
    mine = desk.seal_document(build_pdf()).use.id
    digest = services.seals.sign_digests(
        DigestsRequest(digests=(bytes(32),), item_code=ITEM, idempotency_key="d", body_digest=bytes(32)),
        desk.application,
    )

    def gone(_subject: str) -> bytes:
        raise SignerAway("gone")

    with monkeypatch.context() as patched:
        patched.setattr(services.signer, "sign_cms", gone)
        with pytest.raises(SignerAway):
            desk.seal_document(build_pdf())
    (unfinished,) = [
        use.id
        for use in services.seals.reading.uses(desk.approver, seal_id=None, after=None, limit=10)
        if use.state is SealUseState.INTENDED
    ]
    counted = desk.uses_taken()
    for use_id in (theirs, unfinished, digest.uses[0].id, "sealuse_" + "0" * 32, "nonsense"):
        with pytest.raises(SealUseUnknown):
            seal_again(desk, use_id)

    # Another application of the same agency, with an authorisation of its own.
    now = services.clock.now()
    services.seals.authorisations.grant(
        desk.approver, desk.seal.id, application_id=sibling.application.id, item_code=ITEM,
        valid_from=now, valid_until=now.replace(year=now.year + 1), uses_allowed=1,
    )  # fmt: skip
    request = replace(desk.request(b"x"), document=DocumentRef(use_id=mine))
    with pytest.raises(SealUseUnknown):
        services.seals.seal_document(request, replace(desk.application, account_id=sibling.application.id))
    assert desk.uses_taken() == counted
