"""The tables and the statements, written in SQLModel. No function imports this package.

`make statements` compiles each module to the SQL text of its namesake in shared/statements, which
is what functions send: SQLModel alone would add 230 ms to a cold start.
"""
