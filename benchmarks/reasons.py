"""Why a target is not reached: from a target's key (see targets.py; report.py prints it) to one sentence.

What bounds the work, and what was tried. report.py warns when a target that is missed has no reason here, and when a
reason is left over.
"""

REASONS = {}
