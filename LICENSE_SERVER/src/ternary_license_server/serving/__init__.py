"""
A server at work: how it starts, what it writes down meanwhile, how it ends.
"""
