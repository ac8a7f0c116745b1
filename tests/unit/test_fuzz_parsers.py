"""Parsers of signatures under fire: every input ends in a report or an error of the tree, and soon.

Some seconds of it here; `python -m tests.fuzz pdf --seconds 3600` for longer.
"""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import Mutator
from tests.fuzz.running import fuzz
from tests.fuzz.targets import IN_THE_SUITE, TARGETS, Ending, Target
from tests.support.pki import TestPki
from trust.crypto.errors import CmsMalformed
from trust.kernel.errors import Broken

_EXECUTIONS = {"pdf": 250, "token": 600, "files": 400, "bundle": 150, "evidence": 150, "ceremony": 300}
_OTHERWISE = 1000
# Fixed, so that a suite that was green stays so; the runner draws another each time.
_SEED = 20261122


@pytest.fixture(scope="module")
def targets():
    pki = TestPki()
    return {name: TARGETS[name](pki) for name in IN_THE_SUITE}


@pytest.mark.parametrize("name", IN_THE_SUITE)
def test_valid_inputs_and_mutated_ones_end_in_a_report_or_an_error_of_the_tree(targets, tmp_path, name):
    target = targets[name]
    for octets in target.corpus:
        assert isinstance(target.run(octets), Ending)
    run = fuzz(target, seed=_SEED, executions=_EXECUTIONS.get(name, _OTHERWISE), keep=tmp_path)
    assert not run.findings, [f"{each.kind}: {each.detail}" for each in run.findings]
    assert run.endings > 3


@pytest.mark.parametrize("name", IN_THE_SUITE)
def test_any_octets_end_in_a_report_or_an_error_of_the_tree(targets, name):
    target = targets[name]
    heads = st.sampled_from([b"", *(octets[:40] for octets in target.corpus)])

    @settings(max_examples=60)
    @given(head=heads, octets=st.binary(max_size=200))
    def hold(head, octets):
        assert isinstance(target.run(head + octets), Ending)

    hold()


def _target(run) -> Target:
    return Target(
        name="example",
        corpus=(b"\x30\x03\x02\x01\x05", b"abc"),
        run=run,
        mutate=lambda random, others: Mutator(random).mutated(random.choice(others), others),
    )


def test_a_traceback_is_a_finding_and_its_input_is_kept(tmp_path):
    def run(octets: bytes) -> Ending:
        if octets[:1] != b"a":
            raise IndexError("a fault")
        return Ending(words="fine")

    found = fuzz(_target(run), seed=1, executions=200, keep=tmp_path)
    (finding,) = found.findings
    assert finding.kind == "IndexError"
    assert finding.path.read_bytes() == finding.octets
    assert finding.octets[:1] != b"a"


def test_what_breaks_us_is_a_finding_and_what_refuses_is_none(targets, tmp_path):
    def breaks(octets: bytes) -> Ending:
        raise Broken("our own tables")

    assert fuzz(_target(breaks), seed=1, executions=3, keep=tmp_path).findings
    refused = targets["cms"].run(b"\x30\x00")
    assert refused.words.startswith(CmsMalformed.code)


def test_the_same_seed_gives_the_same_inputs():
    def drawn(seed: int) -> list[bytes]:
        random, corpus = Random(seed), (b"\x30\x06\x02\x01\x05\x02\x01\x07", b"1 0 obj << /A 7 >>")
        mutator = Mutator(random, words=(b"endobj",))
        return [
            mutator.mutated_der(corpus[0], corpus) + mutator.mutated(corpus[1], corpus) for _ in range(50)
        ]

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
