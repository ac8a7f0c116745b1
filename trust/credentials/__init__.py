"""Licences as data: JWS, SD-JWT (RFC 9901), SD-JWT VC and token status lists."""
