"""Room 2, bytes arrive: from the partner's source into landing, encrypted, with hashes. Never looks at rows."""
