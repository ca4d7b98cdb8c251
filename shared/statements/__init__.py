"""The SQL that functions send, made of shared/queries by `make statements`."""
