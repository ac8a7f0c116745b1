"""Keys at work: the signer, a process of its own, and its client. No other process ever holds one."""
