"""What the certificates of a path allow each other (RFC 5280 §6.1.3, §6.1.4), apart from time and revocation.

The anchor's own constraints apply as well (RFC 5937): whoever believes in it believes what it says about itself.
"""

from dataclasses import dataclass

from trust.pki.name_constraints import NameConstraintState, TooManyComparisons
from trust.pki.path_search import CertificatePath
from trust.pki.policy_graph import PolicyInputs, judge_policies
from trust.pki.usages import KeyUsage

# A certificate with hundreds of names that are not allowed is refused as well by the first few.
MAX_PROBLEMS = 20


@dataclass(frozen=True, kw_only=True)
class ConstraintFindings:
    """What stands against the path, in sentences, and the policies it is good for."""

    problems: tuple[str, ...]
    policies: frozenset[str]


def judge_constraints(path: CertificatePath, asked: PolicyInputs) -> ConstraintFindings:
    """Basic constraints, path length, key usage, critical extensions, names and policies."""
    problems = [
        f"{each.subject_text} has a critical extension not processed here: {', '.join(each.unprocessed)}"
        for each in path
        if each.unprocessed
    ]
    problems += _authority_problems(path)
    problems += _name_problems(path)
    outcome = judge_policies(path, asked)
    if outcome.problem is not None:
        problems.append(outcome.problem)
    found = tuple(dict.fromkeys(problems))
    if len(found) > MAX_PROBLEMS:
        found = (*found[:MAX_PROBLEMS], f"and {len(found) - MAX_PROBLEMS} more like these")
    return ConstraintFindings(problems=found, policies=outcome.policies)


def _authority_problems(path: CertificatePath) -> list[str]:
    problems = []
    below = 0
    for each in path[1:]:
        if not each.subject_name:
            problems.append("an authority has no name")
        # An anchor of version 1 has nothing to say it by; that it is one, its owner has said (§6.1.1 (d)).
        if not each.is_authority and not (each.is_version_1 and each is path[-1]):
            problems.append(f"{each.subject_text} is not an authority")
        if each.key_usage is not None and KeyUsage.KEY_CERT_SIGN not in each.key_usage:
            problems.append(f"{each.subject_text} may not sign certificates")
        if each.path_length is not None and below > each.path_length:
            problems.append(
                f"{each.subject_text} allows {each.path_length} authorities below it, not {below}"
            )
        if not each.self_issued:
            below += 1
    return problems


def _name_problems(path: CertificatePath) -> list[str]:
    if all(each.name_constraints is None for each in path[1:]):
        return []
    state = NameConstraintState()
    problems: list[str] = []
    try:
        for each in reversed(path):
            is_leaf = each is path[0]
            if not state.is_open and (is_leaf or not each.self_issued):
                problems += [
                    f"{each.subject_text}: {problem}" for problem in state.problems(each.constrained_names)
                ]
            if each.name_constraints is not None and not is_leaf:
                state.add(each.name_constraints)
    except TooManyComparisons:
        problems.append("the path has more names and name constraints than are compared")
    return problems
