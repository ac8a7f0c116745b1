"""The JWS JSON serialisation of an SD-JWT (RFC 9901 §8): read into the compact form, verified as that.

Of a general serialisation every signature is given, each as a compact SD-JWT of its own; a verifier
chooses the one whose key it knows. Only the first carries the key binding, which was made over it.
"""

from collections.abc import Mapping
from typing import Any

from trust.credentials.encoding import read_object
from trust.credentials.errors import CredentialMalformed

MAX_SIGNATURES = 16
MAX_JSON_OCTETS = 1_000_000


def read_json_serialization(data: bytes) -> tuple[str, ...]:
    """Compact SD-JWTs, one for each signature of a flattened or general serialisation.

    Raises `CredentialMalformed`.
    """
    if len(data) > MAX_JSON_OCTETS:
        raise CredentialMalformed(f"an SD-JWT of more than {MAX_JSON_OCTETS} octets is not read")
    whole = read_object(data, "the SD-JWT")
    payload = _text(whole, "payload")
    general = whole.get("signatures")
    if general is None:
        signatures: list[Any] = [whole]
    elif isinstance(general, list) and 0 < len(general) <= MAX_SIGNATURES and "signature" not in whole:
        signatures = general
    else:
        raise CredentialMalformed(f"signatures is not an array of 1 to {MAX_SIGNATURES} signatures")
    if not all(isinstance(signature, dict) for signature in signatures):
        raise CredentialMalformed("a signature is not an object")
    first, *others = signatures
    disclosures, key_binding = _unprotected(first)
    if any(_unprotected(other) != ([], "") for other in others):
        raise CredentialMalformed("only the first signature's header has disclosures and a key binding")
    compacts = []
    for signature in signatures:
        token = ".".join([_text(signature, "protected"), payload, _text(signature, "signature")])
        compacts.append("~".join([token, *disclosures, key_binding if signature is first else ""]))
    return tuple(compacts)


def _unprotected(signature: Mapping[str, Any]) -> tuple[list[str], str]:
    header = signature.get("header", {})
    if not isinstance(header, dict):
        raise CredentialMalformed("an unprotected header is not an object")
    disclosures = header.get("disclosures", [])
    if not isinstance(disclosures, list) or not all(_is_part(item) for item in disclosures):
        raise CredentialMalformed("disclosures is not an array of encoded disclosures")
    key_binding = header.get("kb_jwt", "")
    if not isinstance(key_binding, str) or "~" in key_binding:
        raise CredentialMalformed("kb_jwt is not a compact JWS")
    return disclosures, key_binding


def _is_part(item: Any) -> bool:
    return isinstance(item, str) and item != "" and "~" not in item


def _text(whole: Mapping[str, Any], name: str) -> str:
    value = whole.get(name)
    if not isinstance(value, str) or not value or "." in value or "~" in value:
        raise CredentialMalformed(f"the serialisation has no {name} in base64url")
    return value
