"""A request to any documented operation, made from its schema alone: the least that has the documented shape."""

import re
from typing import Any

_TEXTS = {
    "date-time": "2027-01-01T00:00:00Z",
    "date": "2027-01-01",
}
# Where a pattern says more than a length: the first of these that the pattern takes.
_SAMPLES = ("x", "0" * 21, "00" * 32, "ABC", "none", "1.2.3", "QUFB")


def example_request(operation: str, described: dict[str, Any]) -> dict[str, Any]:
    """What `TestClient.request` is given: method, url, and a body where there is one."""
    method, _, template = operation.partition(" ")
    item = described["paths"][template][method.lower()]
    path = template
    for parameter in item.get("parameters", []):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", _identifier(parameter["name"]))
    made: dict[str, Any] = {"method": method, "url": path}
    content = item.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        made["json"] = _example(content["application/json"]["schema"], described)
    elif "multipart/form-data" in content:
        schema = _resolved(content["multipart/form-data"]["schema"], described)
        fields, files = {}, []
        for name in schema.get("required", []):
            part = _resolved(schema["properties"][name], described)
            if part.get("format") == "binary" or ("contentMediaType" in part and name != "items"):
                files.append((name, (f"{name}.pdf", b"%PDF-1.7", "application/pdf")))
            else:
                fields[name] = "[]" if name == "items" else str(_example(part, described))
        made |= {"data": fields, "files": files or [("unused", ("a", b"a"))]}
    elif "application/x-www-form-urlencoded" in content:
        made["data"] = {}
    return made


def _identifier(name: str) -> str:
    kinds = {
        "request_id": "sealreq", "licence_id": "lic", "use_id": "sealuse", "agent_id": "agent", "alert_id": "alert",
        "authorisation_id": "sealauth", "batch_id": "sealbatch", "record_id": "rec", "export_id": "evexport",
        "reuse_id": "reuse", "seal_id": "seal", "staff_id": "staff", "agency_id": "agency",
        "event_id": "event", "erasure_id": "erasure", "key_id": "key", "application_id": "app",
        "organisation_id": "org",
    }  # fmt: skip
    kind = kinds.get(name)
    return "0" * 20 if kind is None else f"{kind}_{'0' * 32}"


def _resolved(schema: dict[str, Any], described: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _example(schema: dict[str, Any], described: dict[str, Any]) -> Any:
    schema = _resolved(schema, described)
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return _example(schema[name][-1] if name == "oneOf" else schema[name][0], described)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _example(properties[name], described) for name in schema.get("required", ())}
    if kind == "array":
        return [_example(schema["items"], described)] * schema.get("minItems", 0)
    if kind in ("integer", "number"):
        return int(schema.get("minimum", 1))
    if kind == "boolean":
        return False
    return _text(schema)


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") in _TEXTS:
        return _TEXTS[schema["format"]]
    pattern = schema.get("pattern")
    if pattern is not None:
        return next((sample for sample in _SAMPLES if re.search(pattern, sample)), "x")
    return "x" * max(1, schema.get("minLength", 1))
