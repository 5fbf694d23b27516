"""Write RESULTS.md from the JSON of a benchmark run. Needs nothing but Python:

python benchmarks/report.py [results.json] [RESULTS.md]
"""

import json
import sys
from math import exp, log
from pathlib import Path

HERE = Path(__file__).parent
UNITS = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")]

HEAD = """\
# Benchmark results

Every figure on this page comes from one run of

    {prefix}pytest benchmarks --benchmark-json=benchmarks/results.json
    python benchmarks/report.py

(`make bench`; `make bench-peers` also installs the peers, in an environment of their own). Repeat it before you rely
on it: other machines give other ratios.

| | |
|---|---|
| date | {date} |
| processor | {cpu}, {count} logical cores |
| system | {system}, Python {python} |
| threads | {threads} for every library (OMP_NUM_THREADS) |
| versions | {versions} |
| instruction set of cytensor | {isa} |
| load of the machine before the run | {load} |
{missing}
How to read it: a time is the median of several batches of calls, ours and the peers' in turns; `3.1x` is the peer's
time divided by ours, so more than 1 means that cytensor took less time. Where there is a target, it is such a ratio.
"""


def figure(value, unit):
    """A time with three digits and its unit, 1.23 us; an amount of memory, 140 MB; a bare number, 0.9802."""
    if unit != "s":
        return f"{value:.0f} {unit}" if unit else f"{value:.4f}"
    size, unit = next(((size, unit) for size, unit in UNITS if value >= size), UNITS[-1])
    return f"{value / size:.3g} {unit}" if value / size < 999.5 else f"{value / size:.0f} {unit}"


def times(ratio):
    """A ratio as people say it: 0.87x, 3.1x, 4,200x."""
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:,.0f}x"


def verdict(row):
    """The target's cell: what was promised, against whom, and whether it was reached."""
    target, against, peers = row["target"], row["against"], row["peers"]
    if target is None or not peers or (against and against not in peers):
        return ""
    ratio = peers[against]["ratio"] if against else min(peer["ratio"] for peer in peers.values())
    whom = against or "the best"
    return f"{times(target)} {whom}: {'reached' if ratio >= target else f'not reached ({times(ratio)})'}"


def table(title, rows):
    """One group of benchmarks as a Markdown table, with the geometric mean of each peer's ratios under it."""
    names = list(dict.fromkeys(name for row in rows for name in row["peers"]))
    with_targets = any(verdict(row) for row in rows)
    last = ["target"] if with_targets else []
    header = "| " + " | ".join(["", "cytensor", *names, *last]) + " |"
    rule = "|---" + "|--:" * (1 + len(names)) + "|---" * len(last) + "|"
    lines = [f"## {title}", "", header, rule]
    for row in rows:
        cells = [row["work"], figure(row["ours"]["median"], row["unit"])]
        for name in names:
            peer = row["peers"].get(name)
            cells.append(f"{figure(peer['median'], row['unit'])}, {times(peer['ratio'])}" if peer else "")
        lines.append("| " + " | ".join([*cells, *([verdict(row)] if with_targets else [])]) + " |")
    if len(rows) > 2:
        means = []
        for name in names:
            ratios = [row["peers"][name]["ratio"] for row in rows if name in row["peers"]]
            means.append(times(exp(sum(map(log, ratios)) / len(ratios))))
        lines.append("| " + " | ".join(["geometric mean", "", *means, *([""] if with_targets else [])]) + " |")
    return "\n".join(lines)


def by_table(rows):
    """A dict from the title of each table to its rows, both in their order."""
    tables = {}
    for row in rows:
        tables.setdefault(row["table"], []).append(row)
    return tables


def report(run):
    """The whole page, from the parsed JSON of pytest-benchmark."""
    machine, facts = run["machine_info"], run["machine_info"]["run"]
    tables = by_table(benchmark["extra_info"] for benchmark in run["benchmarks"])
    skipped = f"| peers not installed, so not here | {', '.join(facts['missing'])} |\n" if facts["missing"] else ""
    head = HEAD.format(
        prefix=f"OMP_NUM_THREADS={facts['threads']} " if facts["threads"] != 1 else "",
        date=run["datetime"][:10],
        cpu=machine["cpu"].get("brand_raw", machine["processor"] or machine["machine"]),
        count=machine["cpu"].get("count", "?"),
        system=f"{machine['system']} {machine['machine']}",
        python=machine["python_version"],
        threads=facts["threads"],
        versions=", ".join(f"{name} {version}" for name, version in facts["versions"].items()),
        isa=facts["isa"],
        load="unknown" if facts["load"] is None else f"{facts['load']:.1f} processes",
        missing=skipped,
    )
    return "\n\n".join([head.rstrip(), *(table(title, rows) for title, rows in tables.items())]) + "\n"


def main(source=HERE / "results.json", target=HERE / "RESULTS.md"):
    text = report(json.loads(Path(source).read_text()))
    Path(target).write_text(text)
    print(text)
    print(f"written to {target}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
