"""Write RESULTS.md, and the README's figures, from the JSON of benchmark runs, one for each number of threads.

Needs nothing but Python:

python -m benchmarks.report [results-1.json results-2.json ...]
python -m benchmarks.report --print results-1.json ...

With --print the page goes to the standard output, and nothing is written.
"""

import json
import sys
from math import exp, log
from pathlib import Path

from .reasons import REASONS
from .targets import ACCURACY, HEADLINES, TARGETS, in_threads

HERE = Path(__file__).parent
PAGE, README = HERE / "RESULTS.md", HERE.parent / "README.md"
# Between these lines the README has its figures.
BEGIN, END = "<!-- figures: written by python -m benchmarks.report -->\n", "<!-- end of the figures -->\n"
UNITS = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")]

HEAD = """\
# Benchmark results

Every figure on this page comes from

{commands}
    python -m benchmarks.report

(`make bench`; `make bench-peers` also installs the peers, in an environment of their own; `python -m benchmarks.plots`
draws the plots). Over each table stands the command that measures it alone; `--rounds 1` hurries. Repeat it before you
rely on it: other machines give other ratios.

| | |
|---|---|
| date | {date} |
| processor | {cpu}, {count} logical cores |
| caches | {caches} |
| system | {system}, Python {python} |
| threads | {threads}, the same for every library; the process may use as many processors |
| versions | {versions} |
| instruction set of cytensor | {isa} |
{blas}| load of the machine before the run | {load} |
{missing}
How to read it: a time is the median of several batches of calls, ours and the peers' in turns; `3.1x` is the peer's
time divided by ours, so more than 1 means that cytensor took less time. All is float32 unless it says otherwise.
Peers run at their best: variables that cap a BLAS are removed for the run, and the kernel that ran stands above. MKL,
which multiplies float32 for PyTorch, takes AVX-512 on Intel's processors alone; on others, AMD's among them, it runs
AVX2, and its times here are those of AVX2. PyTorch's convolutions are oneDNN's, which takes what the processor has.
Before each batch is a pause until the threads of the library before are asleep, and a batch that is not timed, which
wakes the library's own.
"""
PLOTS = """\
![Rate of a + b over the memory in use](../docs/plots/elementwise.svg)

![Rate of the matrix product over its size](../docs/plots/gemm.svg)

![How many times as long the faster peer takes, by size](../docs/plots/ratios.svg)
"""
TARGETS_HEAD = """\
## Targets

What is promised of cytensor, and what came out. A target is a ratio, the fastest of the peers named / ours, or an
amount. Of several rows the lowest ratio counts, with the row's name, or their geometric mean. Reached or not is said of
the figure with {threads}, or of the only one, unless the target names another number.
"""


# Words for figures


def figure(value, unit):
    """A time with three digits and its unit, 1.23 us; an amount, 140 MB or 1.3 MB; a bare number, 0.9802."""
    if unit != "s":
        return f"{value:.4f}" if not unit else f"{value:.2g} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    size, unit = next(((size, unit) for size, unit in UNITS if value >= size), UNITS[-1])
    return f"{value / size:.3g} {unit}" if value / size < 999.5 else f"{value / size:.0f} {unit}"


def cache_size(size):
    """The bytes of a cache in its usual unit: 48 KiB, 260 MiB."""
    return f"{size / 2**10:.0f} KiB" if size < 2**20 else f"{size / 2**20:.0f} MiB"


def times(ratio):
    """A ratio as people say it: 0.87x, 3.1x, 4,200x."""
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:,.0f}x"


def geometric_mean(ratios):
    return exp(sum(map(log, ratios)) / len(ratios))


def line(cells):
    return "| " + " | ".join(cells) + " |"


# Tables of what was measured


def by_table(rows):
    """A dict from the title of each table to its rows, both in their order."""
    tables: dict = {}
    for row in rows:
        tables.setdefault(row["table"], []).append(row)
    return tables


def cells(row, names):
    """Our figure, then each peer's with its ratio."""
    if row is None:
        return [""] * (1 + len(names))
    peers = [row["peers"].get(name) for name in names]
    return [figure(row["ours"]["median"], row["unit"])] + [
        f"{figure(peer['median'], row['unit'])}, {times(peer['ratio'])}" if peer else "" for peer in peers
    ]


def means(rows, names):
    """Nothing for us, then the geometric mean of each peer's ratios, where there are several."""
    ratios = [[row["peers"][name]["ratio"] for row in rows if name in row["peers"]] for name in names]
    return ["", *(times(geometric_mean(peer)) if len(peer) > 1 else "" for peer in ratios)]


def table(title, runs, source=None):
    """One group of benchmarks as a Markdown table; `runs` is a dict from the number of threads to the group's rows.

    `source` is the file of the benchmarks.

    With one number of threads the columns bear names alone; with several, each number has its own columns.
    """
    works = list(dict.fromkeys(row["work"] for rows in runs.values() for row in rows))
    body = {work: [work] for work in works}
    header, last = [""], ["geometric mean"]
    for threads, rows in runs.items():
        names = list(dict.fromkeys(name for row in rows for name in row["peers"]))
        suffix = f", {in_threads(threads)}" if len(runs) > 1 else ""
        header += [name + suffix for name in [rows[0]["name"], *names]]
        found = {row["work"]: row for row in rows}
        for work in works:
            body[work] += cells(found.get(work), names)
        last += means(rows, names)
    command = [f"`pytest {source}`", ""] if source else []
    lines = [f"## {title}", "", *command, line(header), "|---" + "|--:" * (len(header) - 1) + "|"]
    lines += map(line, body.values())
    if len(works) > 2 and any(last[1:]):
        lines.append(line(last))
    return "\n".join(lines)


# The table of targets


def outcome(target, rows):
    """The figure by which a target is judged, how to print it, and whether it is reached; None if not measured.

    `rows` is a dict from (table, work) to a row.
    """
    found = [rows[key] for key in target.rows if key in rows]
    if target.most is not None:
        if not found:
            return None
        value = found[0]["ours"]["median"]
        return figure(value, found[0]["unit"]), value <= target.most
    ratios = {}
    for row in found:
        present = [row["peers"][name]["ratio"] for name in target.peers if name in row["peers"]]
        if present:
            ratios[row["work"]] = min(present)
    if not ratios:
        return None
    if target.how == "mean":
        value = geometric_mean(ratios.values())
        return times(value), value >= target.least
    worst = min(ratios, key=lambda row: ratios[row])
    where = f" at {worst}" if len(target.rows) > 1 else ""
    return times(ratios[worst]) + where, ratios[worst] >= target.least


def targets_table(runs, targets=TARGETS, reasons=REASONS):
    """The Markdown table of all targets, and the warnings about reasons; `runs` as in `table`, with all rows."""
    runs = {threads: {(row["table"], row["work"]): row for row in rows} for threads, rows in runs.items()}
    header = ["work", "beside", "target", *map(in_threads, runs), "", "why not"]
    lines = [TARGETS_HEAD.format(threads=in_threads(max(runs))), line(header)]
    lines.append("|---|---|--:" + "|--:" * len(runs) + "|---|---|")
    warnings = []
    known = {target.key for target in targets}
    warnings += [f"reasons.py: there is no target {key!r}" for key in reasons if key not in known]
    for target in targets:
        outcomes = {threads: outcome(target, rows) for threads, rows in runs.items()}
        judged = [one for threads, one in outcomes.items() if one and target.threads in (None, threads)]
        reached = judged[-1][1] if judged else None
        reason = reasons.get(target.key, "")
        if reached is None:
            warnings.append(f"targets.py: {target.key!r} was not measured")
        if reached is False and not reason:
            warnings.append(f"reasons.py: the target {target.key!r} is missed and has no reason")
        if reached and reason:
            warnings.append(f"reasons.py: the target {target.key!r} is reached, its reason is stale")
        promise = times(target.least) if target.most is None else f"at most {target.most} MB"
        verdict = {True: "reached", False: "**not reached**", None: "not measured"}[reached]
        shown = [one[0] if one else "" for one in outcomes.values()]
        work = f"{target.work}, with {in_threads(target.threads)}" if target.threads else target.work
        cells = [work, " / ".join(target.peers), promise, *shown, verdict]
        lines.append(line([*cells, reason if reached is False else ""]))
    return "\n".join(lines), warnings


# The page


def dates_of(runs):
    return ", ".join(dict.fromkeys(run["datetime"][:10] for run in runs.values()))


def processor_of(machine):
    return machine["cpu"].get("brand_raw") or machine["processor"] or machine["machine"]


def row_key(benchmark):
    """(table, work), by which targets name a row."""
    return benchmark["extra_info"]["table"], benchmark["extra_info"]["work"]


def heading(runs):
    """The page's head, from a dict from the number of threads to the parsed JSON of pytest-benchmark."""
    facts = [run["machine_info"]["run"] for run in runs.values()]
    machine, first = next(iter(runs.values()))["machine_info"], facts[0]
    loads = ["unknown" if one["load"] is None else f"{one['load']:.1f} processes" for one in facts]
    commands = [
        f"    OMP_NUM_THREADS={threads} pytest benchmarks --benchmark-json=benchmarks/results-{threads}.json"
        for threads in runs
    ]
    return HEAD.format(
        commands="\n".join(commands),
        date=dates_of(runs),
        cpu=processor_of(machine),
        count=machine["cpu"].get("count", "?"),
        caches=", ".join(f"{name} {cache_size(size)}" for name, size in first["caches"].items()) or "unknown",
        system=f"{machine['system']} {machine['machine']}",
        python=machine["python_version"],
        threads=" and ".join(map(str, runs)),
        versions=", ".join(f"{name} {version}" for name, version in first["versions"].items()),
        isa=first["isa"],
        blas="".join(f"| what multiplies matrices for {name} | {kernel} |\n" for name, kernel in first["blas"].items()),
        load=", ".join(loads),
        missing=f"| peers not installed, so not here | {', '.join(first['missing'])} |\n" if first["missing"] else "",
    )


def figures(runs, targets=TARGETS, headlines=HEADLINES):
    """The README's table: the headlines of the targets, the accuracies, and what they were measured with."""
    rows = {threads: {row_key(one): one["extra_info"] for one in run["benchmarks"]} for threads, run in runs.items()}
    lines = [line(["", "beside", *map(in_threads, runs)]), "|---|---|" + "--:|" * len(runs)]
    for target in targets:
        outcomes = [outcome(target, found) for found in rows.values()]
        if target.work in headlines and any(outcomes):
            mean = ", geometric mean" * (target.how == "mean")
            shown = [one[0] if one else "" for one in outcomes]
            lines.append(line([target.work + mean, ", ".join(target.peers), *shown]))
    for key in dict.fromkeys(key for found in rows.values() for key in found if key[0] == ACCURACY):
        ours = [found.get(key) for found in rows.values()]
        own = [figure(one["ours"]["median"], one["unit"]) if one else "" for one in ours]
        lines.append(line([f"{ACCURACY}: {key[1]}", "", *own]))
    machine = next(iter(runs.values()))["machine_info"]
    where = f"{processor_of(machine)}, {machine['run']['isa']}, {dates_of(runs)}"
    return f"{where}; the time of the fastest beside us / our time, the lowest of several rows:\n\n" + "\n".join(lines)


def with_figures(readme, runs):
    """The README with the figures of these runs in their place."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{figures(runs)}\n\n{END}{after}"


def report(runs, targets=TARGETS, reasons=REASONS):
    """The whole page and a list of warnings, from a dict from the number of threads to pytest-benchmark's JSON."""
    rows = {threads: [one["extra_info"] for one in run["benchmarks"]] for threads, run in runs.items()}
    sources = {
        one["extra_info"]["table"]: one["fullname"].split("::")[0] for run in runs.values() for one in run["benchmarks"]
    }
    groups = {threads: by_table(group) for threads, group in rows.items()}
    tables = [
        table(title, {threads: group[title] for threads, group in groups.items() if title in group}, source)
        for title, source in sources.items()
    ]
    promised, warnings = targets_table(rows, targets, reasons)
    return "\n\n".join([heading(runs).rstrip(), promised, PLOTS.rstrip(), *tables]) + "\n", warnings


def read_runs(sources):
    """A dict from the number of threads to the parsed JSON, by rising number; all results-*.json without `sources`."""
    paths = sources or sorted(HERE.glob("results-*.json"))
    runs = [json.loads(Path(path).read_text()) for path in paths]
    return dict(sorted(((run["machine_info"]["run"]["threads"], run) for run in runs), key=lambda pair: pair[0]))


def main(*arguments):
    prints = "--print" in arguments
    runs = read_runs([argument for argument in arguments if argument != "--print"])
    if not runs:
        raise SystemExit("report: there is no benchmarks/results-*.json; run `make bench` first")
    page, warnings = report(runs)
    if prints:
        print(page)
    else:
        PAGE.write_text(page)
        README.write_text(with_figures(README.read_text(), runs))
        print(f"written to {PAGE} and {README}")
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
