"""The append-only audit log: events, Merkle tiles, checkpoints, proofs."""
