"""Programs that the benchmarks run in processes of their own, because a library allows one backend a process.

Started by hand, too, they run their libraries at their best.
"""

import os

from benchmarks.processes import uncap

uncap(os.environ)
