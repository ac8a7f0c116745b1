"""The composition root: settings in, services out. Nothing else makes an engine, a client or a store."""

from dataclasses import dataclass
from pathlib import Path

from api.algorithms import algorithm_policy, seal_suite
from api.bundles.desk import ProofBundles
from api.evidence.joins import HouseTimestamps
from api.house_trust import HouseTrust
from api.joins import (
    AgencyCredentialKeys,
    AgencyNames,
    ArchiveVerifier,
    LicenceAgencies,
    LicenceHolders,
    LicenceSealer,
    PartyCertificates,
    SealCertificates,
    StatusListSigner,
)
from api.key_desk import KeyDesk
from api.receipts import EventReceipts
from api.settings import Settings
from api.supervision.desk import SupervisionDesk, build_supervision
from api.timestamping.events import ReportClock
from api.timestamping.sources import outside_trust, own_policies, timestamp_source
from api.verification.desk import VerificationDesk
from api.verification.pictures import PagePictures
from api.verification.pool import VerificationPool
from api.witnessing import read_policy
from archive.desk import ArchiveDesk, build_archive
from identity.desk import IdentityDesk, IdentitySettings, build_identity
from identity.signin.passwords import HashCost
from licences.desk import LicencesDesk, build_licences
from licences.render.typesetter import Typesetter
from licences.types.loader import load_types
from seals.desk import SealDesk, build_seals
from trust.authority.issuance import CertificateAuthority
from trust.authority.key_office import KeyOffice
from trust.authority.model import LEDGER_LABEL, LEDGER_LONG_TERM_LABEL
from trust.authority.ocsp_keys import OcspKeys
from trust.authority.ocsp_responder import OcspResponder
from trust.authority.renewing import Renewals
from trust.authority.requests import CertificateRequests
from trust.authority.revocation import RevocationAuthority
from trust.authority.timestamps import TimestampAuthority
from trust.documents import pdf
from trust.evidence.tlog import VerifierKey
from trust.kernel.clock import Clock, SystemClock
from trust.kernel.ids import Ids
from trust.kernel.randomness import Randomness, SystemRandomness
from trust.keys.client import SignerClient
from trust.keys.export_signing import ExportSigner
from trust.keys.key_client import KeyClient
from trust.keys.repository import KeyBindings
from trust.keys.wrapping import read_key_encryption_key
from trust.ledger.cosigning import Cosigning
from trust.ledger.ledger import Ledger
from trust.ledger.proofs import LedgerProofs
from trust.ledger.receipts import ReceiptDesk
from trust.ledger.sequencer import Sequencer
from trust.ledger.signing import LedgerSigner
from trust.ledger.witness_lines import HttpWitnessLine
from trust.preservation.desk import EvidenceDesk
from trust.preservation.rules import RenewalRules
from trust.storage.database import Database
from trust.storage.objects import FolderStore, ObjectStore, S3Store


@dataclass(frozen=True, kw_only=True)
class Authorities:
    """What the ceremony and the authorities need; the part of the house that stands before any agency does."""

    settings: Settings
    clock: Clock
    randomness: Randomness
    ids: Ids
    database: Database
    ledger: Ledger
    signer: SignerClient
    certificates: CertificateAuthority
    revocations: RevocationAuthority
    ocsp_keys: OcspKeys
    timestamps: TimestampAuthority
    renewals: Renewals
    requests: CertificateRequests
    keys: KeyOffice

    def close(self) -> None:
        self.signer.close()
        self.database.close()


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything the routes, the worker and the command line reach."""

    settings: Settings
    clock: Clock
    ids: Ids
    database: Database
    objects: ObjectStore
    ledger: Ledger
    signer: SignerClient
    certificates: CertificateAuthority
    revocations: RevocationAuthority
    ocsp_keys: OcspKeys
    ocsp: OcspResponder
    timestamps: TimestampAuthority
    renewals: Renewals
    requests: CertificateRequests
    keys: KeyOffice
    key_desk: KeyDesk
    trust: HouseTrust
    report_clock: ReportClock
    sequencer: Sequencer
    cosigning: Cosigning
    proofs: LedgerProofs
    receipts: EventReceipts
    supervision: SupervisionDesk
    identity: IdentityDesk
    seals: SealDesk
    licences: LicencesDesk
    typesetter: Typesetter
    verification: VerificationDesk
    keywords: VerificationPool
    archive: ArchiveDesk
    evidence: EvidenceDesk
    bundles: ProofBundles

    def close(self) -> None:
        """Gives connections back and ends the typesetting and verifying processes."""
        self.verification.close()
        self.keywords.close()
        self.typesetter.close()
        self.signer.close()
        self.database.close()


def build_authorities(
    settings: Settings, *, clock: Clock | None = None, randomness: Randomness | None = None
) -> Authorities:
    """Database, ledger, signer and authorities."""
    clock, randomness = clock or SystemClock(), randomness or SystemRandomness()
    ids = Ids(clock, randomness)
    database = Database(settings.database_url, settings.database_read_url or None)
    ledger = Ledger(database, clock=clock, randomness=randomness, ids=ids)
    signer = SignerClient(settings.socket_path)
    certificates = CertificateAuthority(
        ledger=ledger,
        signer=signer,
        clock=clock,
        randomness=randomness,
        public_url=settings.public_url.rstrip("/"),
        profiles=settings.profiles,
        policy=algorithm_policy(settings),
    )
    return Authorities(
        settings=settings,
        clock=clock,
        randomness=randomness,
        ids=ids,
        database=database,
        ledger=ledger,
        signer=signer,
        certificates=certificates,
        renewals=Renewals(
            ledger=ledger, signer=signer, authority=certificates, clock=clock, profiles=settings.profiles
        ),
        requests=CertificateRequests(ledger=ledger, signer=signer, clock=clock, ids=ids),
        revocations=RevocationAuthority(database=database, signer=signer, clock=clock),
        ocsp_keys=OcspKeys(ledger=ledger, signer=signer, authority=certificates, clock=clock),
        timestamps=TimestampAuthority(
            database=database, signer=signer, policies=own_policies(settings), clock=clock
        ),
        keys=KeyOffice(ledger=ledger, keys=KeyClient(signer), clock=clock, ids=ids),
    )


def build_objects(settings: Settings) -> ObjectStore:
    """The S3 store where one is set, the folder store otherwise."""
    if settings.s3_endpoint:
        return S3Store(
            endpoint=settings.s3_endpoint,
            bucket=settings.s3_bucket,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key,
            region=settings.s3_region,
        )
    return FolderStore(Path(settings.objects_folder))


def build_services(
    settings: Settings,
    *,
    clock: Clock | None = None,
    randomness: Randomness | None = None,
    hash_cost: HashCost | None = None,
) -> Services:
    """Everything, joined; the ceremony has been held."""
    parts = build_authorities(settings, clock=clock, randomness=randomness)
    objects = build_objects(settings)
    outside = outside_trust(settings)
    policy, witnesses = algorithm_policy(settings), read_policy(settings)
    trust = HouseTrust(
        database=parts.database,
        clock=parts.clock,
        origin=settings.origin,
        outside=outside,
        algorithms=policy,
    )
    source = timestamp_source(settings, own=parts.timestamps, trust=outside, clock=parts.clock)
    with parts.database.read() as work:
        ledger_key = KeyBindings(work).require(LEDGER_LABEL)
        long_term = KeyBindings(work).labelled(LEDGER_LONG_TERM_LABEL)[-1:]
    verifiers = tuple(VerifierKey.of_spki(settings.origin, key.spki) for key in (ledger_key, *long_term))
    log_signer = LedgerSigner(
        parts.signer,
        key_id=ledger_key.key_id,
        origin=settings.origin,
        further=[key.key_id for key in long_term],
    )
    personal_key = read_key_encryption_key(settings.personal_data_key)
    identity = build_identity(
        ledger=parts.ledger,
        clock=parts.clock,
        randomness=parts.randomness,
        ids=parts.ids,
        personal_data_key=personal_key,
        issuer=PartyCertificates(parts.certificates, parts.revocations, policy=policy),
        settings=IdentitySettings(issuer=settings.public_url.rstrip("/"), hash_cost=hash_cost or HashCost()),
    )
    agencies = AgencyNames(parts.ledger, identity.directory)
    pool = VerificationPool()
    # Of its own: what anonymous visitors have verified must not keep a seal waiting for its place.
    keywords = VerificationPool(size=1)
    seals = build_seals(
        ledger=parts.ledger,
        objects=objects,
        signer=parts.signer,
        authority=SealCertificates(parts.certificates, parts.revocations, parts.renewals),
        keys=parts.keys,
        agencies=agencies,
        timestamps=source,
        trust=trust,
        clock=parts.clock,
        randomness=parts.randomness,
        ids=parts.ids,
        keywords=keywords,
        lease=settings.lease,
        suite=seal_suite(settings, policy),
    )
    typesetter = Typesetter()
    licences = build_licences(
        ledger=parts.ledger,
        objects=objects,
        types=load_types(),
        typesetter=typesetter,
        sealer=LicenceSealer(seals.seal_document),
        signer=parts.signer,
        status_signer=StatusListSigner(parts.ledger, parts.signer),
        credential_keys=AgencyCredentialKeys(
            ledger=parts.ledger, signer=parts.signer, authority=parts.certificates, agencies=agencies
        ),
        agencies=LicenceAgencies(agencies),
        holders=LicenceHolders(parts.ledger, identity),
        trust=trust,
        check_document=pdf.validate,
        personal_key=personal_key,
        public_base=settings.public_url.rstrip("/"),
        clock=parts.clock,
        randomness=parts.randomness,
        ids=parts.ids,
        lease=settings.lease,
    )
    strangers_trust = HouseTrust(
        database=parts.database,
        clock=parts.clock,
        origin=settings.origin,
        algorithms=policy,
        status_lists=licences.status_tokens.every,
        outside=outside,
    )
    evidence = EvidenceDesk(
        ledger=parts.ledger,
        objects=objects,
        timestamps=HouseTimestamps(parts.timestamps),
        trust=trust,
        clock=parts.clock,
        ids=parts.ids,
        rules=RenewalRules(margin=settings.evidence_margin),
    )
    archive = build_archive(
        ledger=parts.ledger,
        objects=objects,
        timestamps=source,
        evidence=evidence,
        verifier=ArchiveVerifier(pool=pool, trust=strangers_trust, clock=parts.clock),
        agencies=agencies,
        clock=parts.clock,
        ids=parts.ids,
        lease=settings.lease,
    )
    proofs = LedgerProofs(objects, policy=witnesses)
    return Services(
        settings=settings,
        clock=parts.clock,
        ids=parts.ids,
        database=parts.database,
        objects=objects,
        ledger=parts.ledger,
        signer=parts.signer,
        certificates=parts.certificates,
        revocations=parts.revocations,
        ocsp_keys=parts.ocsp_keys,
        ocsp=OcspResponder(database=parts.database, signer=parts.signer, clock=parts.clock),
        timestamps=parts.timestamps,
        renewals=parts.renewals,
        requests=parts.requests,
        keys=parts.keys,
        key_desk=KeyDesk(
            ledger=parts.ledger,
            office=parts.keys,
            keys=KeyClient(parts.signer),
            directory=identity.directory,
            clock=parts.clock,
            ids=parts.ids,
        ),
        trust=trust,
        report_clock=ReportClock(timestamps=parts.timestamps, ledger=parts.ledger, clock=parts.clock),
        sequencer=Sequencer(
            database=parts.database,
            store=objects,
            signer=log_signer,
            origin=settings.origin,
            keys=verifiers,
            clock=parts.clock,
        ),
        cosigning=Cosigning(
            ledger=parts.ledger,
            store=objects,
            policy=witnesses,
            line=HttpWitnessLine(),
            keys=verifiers,
            clock=parts.clock,
        ),
        proofs=proofs,
        receipts=EventReceipts(
            ledger=parts.ledger,
            desk=ReceiptDesk(signer=log_signer, origin=settings.origin, keys=verifiers),
        ),
        supervision=build_supervision(
            ledger=parts.ledger,
            objects=objects,
            directory=identity.directory,
            signer=ExportSigner(parts.signer, key_id=ledger_key.key_id, origin=settings.origin),
            origin=settings.origin,
            keys=verifiers,
            rules_file=settings.alert_rules_file,
            clock=parts.clock,
            ids=parts.ids,
        ),
        identity=identity,
        seals=seals,
        licences=licences,
        typesetter=typesetter,
        verification=VerificationDesk(
            pool=pool, trust=strangers_trust, clock=parts.clock, pictures=PagePictures()
        ),
        keywords=keywords,
        archive=archive,
        evidence=evidence,
        bundles=ProofBundles(
            ledger=parts.ledger,
            proofs=proofs,
            seals=seals,
            licences=licences,
            archive=archive,
            evidence=evidence,
            trust=strangers_trust,
            clock=parts.clock,
            origin=settings.origin,
        ),
    )
