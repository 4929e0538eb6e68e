"""The report of a validated model, as one HTML page and as PDF; needs the extra `report`."""
