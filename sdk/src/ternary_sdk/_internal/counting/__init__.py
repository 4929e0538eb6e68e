"""Counting how many different operations many prior draws hold, exactly and in bounded memory."""
