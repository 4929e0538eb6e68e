"""
What the server does, without HTTP: functions over an open transaction, with the moment as an argument.
"""
