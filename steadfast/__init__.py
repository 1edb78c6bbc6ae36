"""Steadfast on the bot's host: looks at stored conversations, talks to the bot, starts it.

Runs inside Rasa's virtual environment (Python 3.8 - 3.10) and needs nothing but what Rasa 3.6.21
brings. Importing the package imports neither Rasa nor a database driver.
"""
