"""The bot and its store in containers, by Docker Compose."""
