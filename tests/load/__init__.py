"""WHO TALKS: users of a bot, whose messages are a pure function of a seed, and the record of what became of them."""
