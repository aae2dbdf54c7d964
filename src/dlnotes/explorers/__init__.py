"""Interactive figures that need no kernel.

Each explorer is a Python class (``descent.Explorer``) and one JavaScript file of the
same name. In Jupyter and Colab it is an anywidget; in the built book a script made
from the same file mounts it. `esm` puts the JavaScript together and needs the standard
library only, because the book is built without torch.
"""
