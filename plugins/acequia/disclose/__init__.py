"""Room 6, what may be told: withholds the cells that would single someone out, and those that would give them away."""
