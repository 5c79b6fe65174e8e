"""Runs a module as `python -m` does, in a process that ends with its parent.

``python -m pipelines.service.tied PARENT MODULE WORDS…``. The process ties itself: code that runs
between fork and exec may hang for ever where the parent has threads.
"""

import runpy
import sys

from pipelines.runs.parent import end_with


def main() -> None:
    """Run the module that the command line names."""
    _, parent, module, *words = sys.argv
    end_with(int(parent))
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
