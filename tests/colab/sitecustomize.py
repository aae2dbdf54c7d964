"""Make Python look like Colab's: with this folder on its path, every process starts with this.

Colab's kernel has imported ``google.colab`` before the first cell, by which notebooks know it.
"""

import sys
import types

sys.modules["google.colab"] = types.ModuleType("google.colab")
