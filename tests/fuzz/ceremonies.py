"""The files of a ceremony as they are fuzzed: its plan, what goes to an offline root and comes back, its log."""

from collections.abc import Callable
from datetime import UTC, datetime

from tests.support.pki import TestPki
from trust.authority.ceremony_file import SHIPPED, Ceremony
from trust.authority.root_files import AskedOfRoot, RootAnswer, RootRequest
from trust.evidence.ceremony_log import CeremonyLog, LoggedStep, Present
from trust.kernel.errors import YinxinError

_NOW = datetime(2026, 12, 1, tzinfo=UTC)


def ceremony_files(pki: TestPki) -> tuple[bytes, ...]:
    """A valid one of each."""
    asked = AskedOfRoot(
        id="certreq_" + "0" * 32, subject={"C": "CN"}, validity_days=30, csr=b"csr", crl_url="http://a", ca_url="http://a"
    )  # fmt: skip
    log = CeremonyLog(
        origin="x/log", ceremony_id="ceremony_" + "0" * 32, file_sha256=bytes(32), begun=_NOW, ended=_NOW,
        present=(Present(name="王安", part="operator"), Present(name="李文")),
        steps=(LoggedStep(kind="root-made", label="authority/root", digest=bytes(32), said="serial 1"),),
    )  # fmt: skip
    return (
        SHIPPED.read_bytes(),
        RootRequest(
            subject={"C": "CN"}, crl_url="http://a", ca_url="http://a", asked=(asked,), cross=(b"x",)
        ).encode(),
        RootAnswer(
            root=pki.root.certificate, certificates={asked.id: b"x"}, cross=(), crl=b"x", record="0" * 64
        ).encode(),
        log.text().encode(),
    )


def read_ceremony_file(octets: bytes) -> str:
    """What each reader makes of the same octets, in words."""
    readers: tuple[Callable[[bytes], object], ...] = (
        Ceremony.parse,
        RootRequest.parse,
        RootAnswer.parse,
        lambda data: CeremonyLog.parse(data.decode("utf-8", "replace")),
    )
    words = []
    for read in readers:
        try:
            read(octets)
            words.append("read")
        except YinxinError as error:
            words.append(f"{error.code} {error.message[:40]}")
    return ", ".join(words)
