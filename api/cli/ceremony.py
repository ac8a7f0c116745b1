"""`yinxin db ceremony`: the authorities' keys and certificates, on the databases the settings name."""

from contextlib import closing
from pathlib import Path

from api.settings import Settings
from api.wiring import build_authorities, build_services
from trust.authority.ceremony import SHIPPED, Ceremony, hold_ceremony


def hold(settings: Settings) -> list[str]:
    """Makes what is missing; one line for each part."""
    lines: list[str] = []
    path = Path(settings.ceremony_file) if settings.ceremony_file else SHIPPED
    with closing(build_authorities(settings)) as parts:
        hold_ceremony(
            Ceremony.read(path),
            ledger=parts.ledger,
            signer=parts.signer,
            authority=parts.certificates,
            clock=parts.clock,
            said=lines.append,
        )
        parts.revocations.refresh_all()
        parts.ocsp_keys.ensure_all()
    return lines


def first_administrator_link(settings: Settings) -> str | None:
    """The link, which works once and ends any earlier one; None once a platform administrator has enrolled."""
    with closing(build_services(settings)) as services:
        link = services.identity.enrolments.bootstrap()
    return None if link is None else f"{settings.public_url.rstrip('/')}/enrol?token={link.token}"
