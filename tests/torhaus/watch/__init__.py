"""Tests of the watch room."""
