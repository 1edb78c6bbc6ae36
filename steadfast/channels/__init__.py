"""Steadfast's own channels, for Rasa's credentials.yml."""
