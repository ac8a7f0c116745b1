"""Evidence records at work: what is kept is gathered, stamped and renewed, so that it proves for decades."""
