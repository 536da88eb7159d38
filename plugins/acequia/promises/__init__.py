"""What should have arrived, and whether it did: states of feeds and periods, by the calendar and the ledger alone."""
