"""The words the house speaks: frozen data and ports."""
