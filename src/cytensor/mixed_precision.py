"""Mixed precision by Keras's names: `mixed_precision.set_global_policy("mixed_bfloat16")`. The policies themselves are
in dtype_policies.py."""
from cytensor.absent import explain
from cytensor.dtype_policies import DTypePolicy, global_policy, set_global_policy

__all__ = ["DTypePolicy", "Policy", "dtype_policy", "global_policy", "set_dtype_policy", "set_global_policy"]

Policy = DTypePolicy
dtype_policy = global_policy
set_dtype_policy = set_global_policy


def __dir__() -> list[str]:
    return [*__all__]


explain(__name__)
