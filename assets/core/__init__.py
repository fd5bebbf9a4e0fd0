"""Identity, standing of submissions, survivorship, history and conflicts: derived, never entered."""
