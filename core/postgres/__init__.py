"""The shared floor on PostgreSQL: Arrow <-> COPY, drop and rebuild, locks, fingerprints. Imports no app.

Every function takes a cursor (Django's or psycopg2's) or Django's connection first, and works in the caller's
transaction.
"""
