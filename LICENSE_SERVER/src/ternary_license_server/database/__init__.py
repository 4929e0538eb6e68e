"""
Where everything the server knows is kept: its tables, its transactions, and how old files become new ones.
"""
