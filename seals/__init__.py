"""The seal's life: apply, approve, make, authorise, use, suspend, revoke, audit (DB4201/T 571-2018 4.4.3)."""
