"""The ground floor: formats, keys and proofs; knows no seal, licence or case."""
