"""Programs that the benchmarks run in processes of their own, because a library allows one backend a process."""
