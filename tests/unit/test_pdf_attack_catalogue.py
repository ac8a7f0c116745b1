"""No attack on a signed document comes out valid, whatever its kind of cross-references."""

from collections import Counter

import pypdfium2
import pytest

from tests.support.attacks import messages
from tests.support.attacks.catalogue import Attack, attacks
from tests.support.attacks.victim import Victim, certified, clean_document, document_timestamp, draft, signed
from tests.support.pdfs import Kind
from tests.support.pki import TestPki
from trust.documents.pdf import validate
from trust.kernel.report import Indication, Outcome, Report

# The classes that every validator meets; each has to stay well covered.
_FEWEST_IN_ALL = 300
_FEWEST_IN_A_FAMILY = 12
_FEWEST_THAT_DECEIVE = 50


@pytest.fixture(scope="module")
def pki():
    return TestPki()


@pytest.fixture(scope="module")
def stranger():
    return TestPki()


@pytest.fixture(scope="module")
def trust(pki):
    return pki.trust_store()


@pytest.fixture(scope="module")
def victims(pki, stranger):
    return {kind: Victim.sealed_by(pki, stranger=stranger, kind=kind) for kind in Kind}


def said(report: Report) -> list[tuple[str, str]]:
    return [
        (check.code, check.detail) for check in report.all_checks() if check.outcome is not Outcome.PASSED
    ]


@pytest.mark.parametrize("kind", Kind)
def test_what_is_attacked_is_valid_before(victims, trust, pki, kind):
    victim = victims[kind]
    signed_by_hand = signed(draft(victim, clean_document(kind)), victim.leaf)
    stamped = document_timestamp(victim, victim.sealed)
    for document in (
        victim.sealed,
        signed_by_hand,
        stamped,
        messages.honest(victim),
        *(certified(victim, level) for level in (1, 2, 3)),
        victim.with_message(victim.message),
    ):
        report = validate(document, trust=trust, at=pki.now)
        assert report.indication is Indication.VALID, said(report)


@pytest.mark.parametrize(
    ("attack", "kind"),
    [pytest.param(attack, kind, id=f"{attack}-{kind}") for attack in attacks() for kind in attack.kinds],
)
def test_an_attack_never_comes_out_valid(victims, trust, pki, attack: Attack, kind: Kind):
    victim = victims[kind]
    attacked = attack.make(victim)
    assert attacked != victim.sealed
    assert b"%PDF-" in attacked[:1024]
    report = validate(attacked, trust=trust, at=pki.now)
    assert report.indication is not Indication.VALID, f"{attack.about} came out valid"
    assert said(report), "nothing says why"


def test_the_catalogue_has_enough_of_every_class_and_says_what_each_is():
    families = Counter(attack.family for attack in attacks())
    assert families.total() >= _FEWEST_IN_ALL, families
    assert min(families.values()) >= _FEWEST_IN_A_FAMILY, families
    assert all(attack.about.endswith(".") for attack in attacks())


def shown(document: bytes) -> object:
    """What a renderer makes of it: the size and the pixels of every page, or that it shows nothing."""
    try:
        opened = pypdfium2.PdfDocument(document)
        pictures = [page.render(scale=0.2).to_pil() for page in opened]
    except pypdfium2.PdfiumError:
        return None
    return [(picture.size, picture.tobytes()) for picture in pictures]


def test_many_of_the_attacks_really_show_something_else(victims):
    """An attack that a renderer does not fall for proves little; these are the ones that it does."""
    victim = victims[Kind.TABLE]
    deceived = []
    for attack in attacks():
        if attack.family in ("forgery", "pointers", "saving", "shadow", "twins"):
            attacked = attack.make(victim)
            # The document before it was signed ends with the first mark, the signed one with the second.
            first = attacked.index(b"%%EOF\n") + 6
            signed_end = attacked.index(b"%%EOF\n", first) + 6 if b"%%EOF\n" in attacked[first:] else None
            after = shown(attacked)
            if signed_end and after is not None and after != shown(attacked[:signed_end]):
                deceived.append(str(attack))
    assert len(deceived) >= _FEWEST_THAT_DECEIVE, deceived
