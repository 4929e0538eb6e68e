"""
What an operator does on the server's own machine, with rights on its database: without a token, without HTTP.
"""
