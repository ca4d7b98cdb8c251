"""Accounts: what users may do with their own, and those that are built in."""
