"""The words the house speaks: frozen data and ports.

Words of which a call makes several are `gc=False`: they never stand in a reference cycle that
outlives the call, and the collector need not look at them.
"""
