"""How the tables of the state database came to be, one step after another."""
