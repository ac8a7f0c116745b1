"""Everything that can be done with licences, put together once by the wiring."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from licences.access import Sight
from licences.acts.change import ChangeLicence
from licences.acts.drafting import Drafting
from licences.acts.holding import LicenceHoldings
from licences.acts.issue import IssueLicence, ResumeIssuing
from licences.acts.present import PresentLicence
from licences.acts.procedure import IssuingProcedure
from licences.acts.public import PublicStatus
from licences.acts.redeem import RedeemPresentation
from licences.acts.standing import LicenceStanding
from licences.acts.statements import Statements
from licences.acts.usage import UsageLog
from licences.addresses import Addresses
from licences.ports import (
    Agencies,
    CredentialKeys,
    CredentialSigner,
    DocumentCheck,
    Holders,
    Sealer,
    StatusSigner,
    TrustView,
)
from licences.protection import ContentCipher
from licences.reading import LicenceReader
from licences.render.typesetter import Typesetter
from licences.status.lists import DEFAULT_LIST_SIZE, StatusIndexes, StatusTokens
from licences.types.loader import LicenceTypes
from trust.kernel.clock import Clock
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness
from trust.ledger.ledger import Ledger
from trust.storage.objects.port import ObjectStore

# A licence is issued in well under a second; after this long the request is taken for dead.
DEFAULT_LEASE: Final = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class LicencesDesk:
    """The acts of a licence's life; `resume_issuing` is the worker's."""

    types: LicenceTypes
    issue: IssueLicence
    change: ChangeLicence
    standing: LicenceStanding
    resume_issuing: ResumeIssuing
    holdings: LicenceHoldings
    present: PresentLicence
    redeem: RedeemPresentation
    usage: UsageLog
    public: PublicStatus
    status_tokens: StatusTokens


def build_licences(
    *,
    ledger: Ledger,
    objects: ObjectStore,
    types: LicenceTypes,
    typesetter: Typesetter,
    sealer: Sealer,
    signer: CredentialSigner,
    status_signer: StatusSigner,
    credential_keys: CredentialKeys,
    agencies: Agencies,
    holders: Holders,
    trust: TrustView,
    check_document: DocumentCheck,
    personal_key: bytes,
    public_base: str,
    clock: Clock,
    randomness: Randomness,
    ids: Ids,
    lease: timedelta = DEFAULT_LEASE,
    status_list_size: int = DEFAULT_LIST_SIZE,
) -> LicencesDesk:
    """Joins the acts. `personal_key` is 32 octets; `public_base` the origin that credentials and QR codes name."""
    addresses = Addresses(base=public_base)
    cipher = ContentCipher(personal_key, randomness)
    reader = LicenceReader(ledger=ledger, cipher=cipher, addresses=addresses, clock=clock)
    sight = Sight(holders=holders, cipher=cipher)
    tokens = StatusTokens(read=ledger.read, signer=status_signer, addresses=addresses, clock=clock)
    statements = Statements(types=types, agencies=agencies, credential_keys=credential_keys, clock=clock)
    drafting = Drafting(
        types=types,
        indexes=StatusIndexes(clock=clock, randomness=randomness, ids=ids, list_size=status_list_size),
        cipher=cipher,
        addresses=addresses,
        clock=clock,
        randomness=randomness,
        ids=ids,
        lease=lease,
    )
    procedure = IssuingProcedure(
        ledger=ledger,
        typesetter=typesetter,
        sealer=sealer,
        signer=signer,
        objects=objects,
        trust=trust,
        check_document=check_document,
        status_tokens=tokens,
        cipher=cipher,
        addresses=addresses,
        clock=clock,
    )
    return LicencesDesk(
        types=types,
        issue=IssueLicence(
            ledger=ledger,
            statements=statements,
            drafting=drafting,
            procedure=procedure,
            reader=reader,
            clock=clock,
            ids=ids,
        ),
        change=ChangeLicence(
            ledger=ledger,
            statements=statements,
            drafting=drafting,
            procedure=procedure,
            reader=reader,
            clock=clock,
            ids=ids,
        ),
        standing=LicenceStanding(ledger=ledger, reader=reader, clock=clock),
        resume_issuing=ResumeIssuing(ledger=ledger, drafting=drafting, procedure=procedure, clock=clock),
        holdings=LicenceHoldings(
            ledger=ledger, reader=reader, sight=sight, objects=objects, types=types, clock=clock, ids=ids
        ),
        present=PresentLicence(
            ledger=ledger,
            reader=reader,
            sight=sight,
            agencies=agencies,
            addresses=addresses,
            clock=clock,
            randomness=randomness,
            ids=ids,
        ),
        redeem=RedeemPresentation(
            ledger=ledger,
            reader=reader,
            trust=trust,
            status_tokens=tokens,
            cipher=cipher,
            addresses=addresses,
            clock=clock,
            ids=ids,
        ),
        usage=UsageLog(ledger=ledger, sight=sight),
        public=PublicStatus(read=ledger.read, types=types, clock=clock),
        status_tokens=tokens,
    )
