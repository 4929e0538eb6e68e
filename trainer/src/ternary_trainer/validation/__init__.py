"""Checks that tell a good model from one that only looks good; docs/validation.md defines each."""
