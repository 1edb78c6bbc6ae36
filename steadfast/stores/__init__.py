"""Steadfast's own tracker stores, for `type:` in Rasa's endpoints.yml: nothing is acknowledged that was not kept."""
