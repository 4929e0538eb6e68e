"""
The picture of a whole space: where cells lie, what colours mean, axes and legend.
"""
