"""Proofs that stand by themselves: Merkle trees, signed notes, checkpoints, proof files."""
