"""pyHanko's own CSC client signs documents over HTTP with our seals, and our validator believes them."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.csc_signer import (
    CSCAuthorizationInfo,
    CSCAuthorizationManager,
    CSCCredentialInfo,
    CSCServiceSessionInfo,
    CSCSigner,
    fetch_certs_in_csc_credential,
)

from api.app import create_app
from seals.model import SealUseKind, SealUseState
from tests.support.house import House, SealingAgency
from tests.support.house_edge import HouseEdge
from tests.support.pages import served
from tests.support.pdfs import build_pdf
from trust.documents import pdf
from trust.kernel.report import Indication

_numbers = itertools.count(1)


@pytest.fixture
def desk(house: House) -> SealingAgency:
    return house.sealing_agency(digests=True)


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(create_app(house.services.settings, house.services)) as base:
        yield base


class Authorising(CSCAuthorizationManager):  # type: ignore[misc]  # pyHanko has no types
    """Asks for activation data for the hashes at hand, as pyHanko's documentation shows it."""

    def __init__(
        self, session: aiohttp.ClientSession, info: CSCServiceSessionInfo, credential: CSCCredentialInfo
    ) -> None:
        super().__init__(info, credential)
        self._session = session

    async def authorize_signature(self, hash_b64s: list[str]) -> CSCAuthorizationInfo:
        async with self._session.post(
            self.csc_session_info.endpoint_url("credentials/authorize"),
            headers=self.auth_headers,
            json=self.format_csc_auth_request(hash_b64s=hash_b64s),
            raise_for_status=True,
        ) as answer:
            return self.parse_csc_auth_response(await answer.json())


def with_client(
    address: str, desk: SealingAgency, act: Callable[[aiohttp.ClientSession, Authorising], Awaitable[Any]]
) -> Any:
    """Runs `act` with pyHanko's session on the agency's one credential, found as a client finds it."""
    token = HouseEdge(desk.house).system_of(desk)

    async def conversation() -> Any:
        async with aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post(f"{address}/csc/v1/credentials/list", headers=headers, json={}) as listed:
                (credential_id,) = (await listed.json())["credentialIDs"]
            info = CSCServiceSessionInfo(
                service_url=address, credential_id=credential_id, oauth_token=token, api_ver="v1"
            )
            credential = await fetch_certs_in_csc_credential(session, info)
            return await act(session, Authorising(session, info, credential))

    return asyncio.run(conversation())


async def signed(signer: CSCSigner, document: bytes) -> bytes:
    output = BytesIO()
    metadata = PdfSignatureMetadata(
        field_name=f"Signature{next(_numbers)}", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
    )
    await PdfSigner(metadata, signer=signer).async_sign_pdf(
        IncrementalPdfFileWriter(BytesIO(document)), output=output
    )
    return output.getvalue()


def require_valid(desk: SealingAgency, document: bytes) -> None:
    services = desk.house.services
    report = pdf.validate(document, trust=services.trust.current(), at=services.clock.now())
    assert report.indication is Indication.VALID, report.reasons()
    assert report.parts[0].facts["signer"] is not None


def test_pyhanko_signs_a_document_through_us_and_we_call_it_valid(address: str, desk: SealingAgency) -> None:
    async def act(session: aiohttp.ClientSession, authorising: Authorising) -> bytes:
        assert authorising.credential_info.hash_pinning_required
        assert authorising.credential_info.supported_mechanisms == {"sha256_ecdsa"}
        return await signed(CSCSigner(session, authorising, client_data="案 42"), build_pdf())

    require_valid(desk, with_client(address, desk, act))
    reading = desk.house.services.seals.reading
    (use,) = reading.uses(desk.approver, seal_id=desk.seal.id, after=None, limit=10)
    assert (use.kind, use.state, use.case_number) == (SealUseKind.HASH, SealUseState.COMPLETED, "案 42")
    assert desk.uses_taken() == 1
    for act_name in ("signature.activated", "seal-use.intended", "seal-use.completed"):
        assert len(desk.house.room.events(act_name)) == 1


def test_pyhanko_signs_many_documents_in_one_batch(address: str, desk: SealingAgency) -> None:
    async def act(session: aiohttp.ClientSession, authorising: Authorising) -> list[bytes]:
        signer = CSCSigner(session, authorising, batch_size=4)
        return await asyncio.gather(*(signed(signer, build_pdf(text=str(number))) for number in range(4)))

    for document in with_client(address, desk, act):
        require_valid(desk, document)
    assert desk.uses_taken() == 4
    assert len(desk.house.room.events("signature.activated")) == 1


def test_pyhanko_is_told_no_where_the_seal_is_suspended(address: str, desk: SealingAgency) -> None:
    desk.house.services.seals.life.suspend(desk.approver, desk.seal.id, reason="遗失")

    async def act(session: aiohttp.ClientSession, authorising: Authorising) -> bytes:
        return await signed(CSCSigner(session, authorising), build_pdf())

    with pytest.raises((SigningError, aiohttp.ClientResponseError)):
        with_client(address, desk, act)
    assert desk.uses_taken() == 0
