"""The answer to the sender, made from the ledger after a publish and never in its way."""
