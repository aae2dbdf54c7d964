"""How fast `fit` and `sweep` are beside other loops, and what each architecture costs."""
