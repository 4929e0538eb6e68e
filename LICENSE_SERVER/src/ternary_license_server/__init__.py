"""
The vendor's side of licensing. Nothing in here is in a client's wheels.

The rooms, each importing only from those below it:

- ``serving``: a server at work, from its start to its end;
- ``web``: the service over HTTP; ``local``: what an operator does beside it, with rights on the database;
- ``service``: what the server does, as functions over an open transaction; ``settings``: its configuration;
- ``keys``: private keys and what they sign, on files, offline; ``database``: tables and transactions;
- ``addresses``: whose address a request comes from.

``keys`` needs no server: it is importable without FastAPI and SQLAlchemy.
"""
