"""Reference data: administrative units with their dates, the crosswalk of 1 July 2025, senders, calendar."""
