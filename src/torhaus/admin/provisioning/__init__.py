"""What a company's identity provider pushes: users and groups that come, change and go."""
