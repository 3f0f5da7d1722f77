"""The one door for administrative acts: checked, in one transaction, recorded."""
