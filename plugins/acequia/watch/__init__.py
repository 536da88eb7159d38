"""Watching: looks at every partner's source for what is new, runs it in the order of periods, and tells what is due."""
