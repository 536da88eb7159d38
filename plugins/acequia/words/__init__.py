"""Words for people, in English and Spanish: numbers in one way per language, and reasons that the ledger holds."""
