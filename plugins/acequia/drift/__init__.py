"""Schema drift: what a delivery whose columns differ seems to mean, and the next version of the agreement from it."""
