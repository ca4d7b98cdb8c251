"""Who callers are: the keys that tokens are checked with, and accounts."""
