"""Tests of administrative acts."""
