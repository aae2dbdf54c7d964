"""Interactive figures that need no kernel.

Each explorer is a folder: ``spec.json`` states its settings, ``model.js`` computes what is
to be seen, ``picture.js`` shows it, ``style.css`` is there if the shared style is not
enough, and the Python class ``Explorer`` holds what the specification cannot say. In
Jupyter and Colab an explorer is an anywidget; in the built book a script made from the
same files mounts it. ``maths/`` holds the counterparts of ``dlnotes`` modules under their
names, ``shared/`` what every explorer does alike. `esm` puts the JavaScript together and
needs the standard library only, because the book is built without torch.
"""
