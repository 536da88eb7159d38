"""Room 7, what is shared: disclosed cells become lake tables and open releases, each change in one commit."""
