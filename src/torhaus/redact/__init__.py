"""What is masked in texts and results: secrets, personal data, configured patterns. Pure."""
