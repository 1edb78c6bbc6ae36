"""Tests that need no Docker and take seconds."""
