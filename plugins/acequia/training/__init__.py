"""The project's own model of names and places: sentences made up, a model trained on them, and what it finds measured.

A late room: nothing imports it. It reads the lists of `protect`, and writes what `protect.language` loads.
"""
