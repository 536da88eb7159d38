"""Lineage: OpenLineage events of every step, kept beside the ledger, and the questions that they answer."""
