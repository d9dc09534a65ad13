"""Masks values in streams of bytes; knows nothing of vaults."""
