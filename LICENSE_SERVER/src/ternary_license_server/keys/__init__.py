"""
The vendor's private keys and what they sign, on files, offline: no database and no server is needed here.
"""
