"""Plays the partners' side: seeded deliveries of any size, good or bad on demand, with planted people known by name.

Nothing here runs in production; the demo, the tests and whoever wants to try an agreement use it.
"""
