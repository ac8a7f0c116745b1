"""What a stranger will need: anchors, CRLs, status lists, verifier keys; checkpoint, proofs, receipts."""

import time
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from api.demo.parties import Party, StepFailed
from api.demo.story import Story

AUTHORITIES: Final = ("root", "identity", "seals", "service")
# Sequencing follows an event within about a second.
INCLUSION_SECONDS: Final = 20


def gather(story: Story) -> None:
    """Fetches trust material and proofs over HTTP, as anybody may, and writes them down."""
    anybody = Party(story.base)
    try:
        _trust(story, anybody)
        _proofs(story, anybody)
    finally:
        anybody.close()


def _trust(story: Story, anybody: Party) -> None:
    for authority in AUTHORITIES:
        certificate = x509.load_der_x509_certificate(anybody.get(f"/ca/{authority}.cer").content)
        story.write(f"trust/{authority}.pem", certificate.public_bytes(Encoding.PEM))
        crl = x509.load_der_x509_crl(anybody.get(f"/crl/{authority}.crl").content)
        story.write(f"trust/{authority}.crl", crl.public_bytes(Encoding.PEM))
    lists = {story.known[name]["status"]["list_id"] for name in ("business-licence", "permit")}
    for list_id in sorted(lists):
        token = anybody.get(f"/v1/status-lists/{list_id}").text
        story.write(f"trust/{list_id}.statuslist.jwt", token.encode())
    story.write("trust/log.vkey", anybody.get("/log/vkey").content)
    story.note("trust/", authorities=len(AUTHORITIES), status_lists=len(lists))


def _proofs(story: Story, anybody: Party) -> None:
    use = story.known["decision-use"]
    events = {"decision-sealed": use["event_id"], **story.known.get("events", {})}
    for name, event_id in events.items():
        story.write(f"proofs/{name}.tlog-proof", _proof(anybody, event_id))
    story.write("proofs/checkpoint", anybody.get("/log/checkpoint").content)
    story.note("proofs/", events=sorted(events))


def _proof(anybody: Party, event_id: str) -> bytes:
    """The inclusion proof of an event, once a checkpoint covers it."""
    until = time.monotonic() + INCLUSION_SECONDS
    while True:
        try:
            return anybody.get(f"/log/proofs/{event_id}").content
        except StepFailed:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
