"""Users who talk to a deployed bot at once while something breaks, and further Rasa processes beside its own."""
