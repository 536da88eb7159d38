"""The ledger: an append-only, signed chain of everything that happened, what follows from it, and receipts of it."""
