"""People, what they prove themselves with, and how their access ends: administrative acts."""
