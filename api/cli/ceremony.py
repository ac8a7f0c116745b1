"""`yinxin db ceremony` and `ceremony hold`: authorities' keys and certificates, on the databases the settings name."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from api.settings import Settings
from api.wiring import build_authorities, build_services
from trust.authority.ceremony import SHIPPED, Ceremony, CeremonyTable, hold_ceremony
from trust.authority.ceremony_logging import hold_before_people, read_present


def hold(settings: Settings) -> list[str]:
    """Makes what is missing; one line for each part."""
    lines: list[str] = []
    with closing(build_authorities(settings)) as parts:
        hold_ceremony(
            Ceremony.read(file_of(settings)),
            ledger=parts.ledger,
            signer=parts.signer,
            authority=parts.certificates,
            clock=parts.clock,
            requests=parts.requests,
            said=lines.append,
        )
        parts.revocations.refresh_all()
        parts.ocsp_keys.ensure_all()
    return lines


def hold_with_log(
    settings: Settings,
    file: Path | None,
    present: Sequence[str],
    witnesses: Sequence[str],
    said: Callable[[str], None],
) -> tuple[int, str | None]:
    """Holds the ceremony before people; how many things were made, and the signed log where any was done."""
    with closing(build_authorities(settings)) as parts:
        held = hold_before_people(
            Ceremony.read(file_of(settings, file)),
            table=CeremonyTable(
                ledger=parts.ledger,
                signer=parts.signer,
                authority=parts.certificates,
                clock=parts.clock,
                requests=parts.requests,
            ),
            ids=parts.ids,
            origin=settings.origin,
            present=read_present(present, witnesses),
            said=said,
        )
        parts.revocations.refresh_all()
    return held.made, held.note


def file_of(settings: Settings, file: Path | None = None) -> Path:
    """The ceremony's file: the one given, the one of the settings, or the one shipped."""
    return file or (Path(settings.ceremony_file) if settings.ceremony_file else SHIPPED)


def first_administrator_link(settings: Settings) -> str | None:
    """The link, which works once and ends any earlier one; None once a platform administrator has enrolled."""
    with closing(build_services(settings)) as services:
        link = services.identity.enrolments.bootstrap()
    return None if link is None else f"{settings.public_url.rstrip('/')}/enrol?token={link.token}"
