"""Notices: who is told what became of a promise, by e-mail and signed webhook, each thing once."""
