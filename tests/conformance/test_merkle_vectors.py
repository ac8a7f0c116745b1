"""The Merkle cases of transparency-dev/merkle come out as they say (`vectors/merkle`)."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from trust.evidence.merkle import ProofRefused, verify_consistency, verify_inclusion

VECTORS = Path(os.environ.get("YINXIN_VECTORS", "../shared/vectors")) / "merkle"


def cases(kind: str) -> list[Any]:
    files = sorted((VECTORS / kind).rglob("*.json"))
    if not files:
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"no vectors under {VECTORS}"))]
    return [
        pytest.param(json.loads(file.read_text()), id=f"{file.parent.name}-{file.stem}") for file in files
    ]


def octets(text: str | None) -> bytes:
    return base64.b64decode(text or "")


@pytest.mark.parametrize("case", cases("inclusion"))
def test_an_inclusion_case_comes_out_as_named(case):
    def verify() -> None:
        verify_inclusion(
            index=case["leafIdx"],
            size=case["treeSize"],
            leaf=octets(case["leafHash"]),
            proof=[octets(item) for item in case["proof"] or []],
            root=octets(case["root"]),
        )

    if case["wantErr"]:
        with pytest.raises(ProofRefused):
            verify()
    else:
        verify()


@pytest.mark.parametrize("case", cases("consistency"))
def test_a_consistency_case_comes_out_as_named(case):
    def verify() -> None:
        verify_consistency(
            size1=case["size1"],
            size2=case["size2"],
            root1=octets(case["root1"]),
            root2=octets(case["root2"]),
            proof=[octets(item) for item in case["proof"] or []],
        )

    if case["wantErr"]:
        with pytest.raises(ProofRefused):
            verify()
    else:
        verify()
