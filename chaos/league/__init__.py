"""Clients of many libraries and languages, compared: who they are, and how each is built."""
