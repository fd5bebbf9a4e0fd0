"""Clean typed observations, their verdicts, and the quarantine."""
