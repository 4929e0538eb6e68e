"""
The service over HTTP: what comes in is checked, what goes out is signed.
"""
