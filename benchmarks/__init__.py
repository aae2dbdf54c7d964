"""How fast `fit` and `sweep` are beside hand-written loops and other libraries."""
