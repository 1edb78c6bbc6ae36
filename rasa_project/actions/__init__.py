"""The bot's custom actions, for ``rasa run actions --actions actions``.

The action server imports every module of this package and registers the actions in it.
"""
