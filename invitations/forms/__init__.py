"""Checking what somebody typed, one module for each story."""
