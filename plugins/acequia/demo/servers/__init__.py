"""The partners' side: small real servers on 127.0.0.1, each a context manager that yields a `Connection`.

They are for demonstrations and tests: free ports, generated passwords and keys, gone when the block or the
process ends.
"""
