"""Shared by all tests. Servers listen on loopback and are the real ones."""
