"""The way to the database: one connection and one round trip a call."""
