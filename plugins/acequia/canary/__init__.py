"""Canaries: invented people are planted in a copy of a delivery, and whoever comes out again was not protected."""
