"""
The vendor's side of licensing: private keys, key sets, revocation lists and licenses.

Nothing in here is in a client's wheels. It needs no server: every function works on files, offline.
"""
