"""Taking in what partners push: an HTTPS server for resumable uploads, each partner with tokens of its own."""
