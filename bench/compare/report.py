# SPDX-License-Identifier: BSD-3-Clause
"""Tables for the terminal and for docs/performance.md."""


def baseline_of(names):
    """The peer that ratios are taken against: the newest Valkey, or what stands in for it."""
    for name in ("valkey9", "redis7", "redis8"):
        if name in names:
            return name
    return names[0]


def ratio(value, base):
    return f"{value / base:.2f}" if base else "-"


def speed_rows(results, names, field, scale, form):
    base = baseline_of(names)
    for (measure, pipeline), figures in results.items():
        cells = [form.format(figures[n][field] * scale) if figures[n][field] is not None else "-"
                 for n in names]
        of_first = figures[names[0]][field]
        cell = ratio(of_first, figures[base][field]) if of_first is not None and names[0] != base else "-"
        yield [measure, str(pipeline), *cells, cell]


def memory_rows(results, names):
    base = baseline_of(names)
    for what, figures in results.items():
        used = [f"{figures[n]['used']:.1f}" for n in names]
        resident = [f"{figures[n]['rss']:.1f}" for n in names]
        cell = ratio(figures[names[0]]["used"], figures[base]["used"]) if names[0] != base else "-"
        yield [what, *(f"{u} ({r})" for u, r in zip(used, resident)), cell]


def bullmq_rows(results, names, field, scale):
    base = baseline_of(names)
    for phase, figures in results.items():
        cells = [f"{figures[n][field] * scale:.1f}" for n in names]
        of_base = ratio(figures[names[0]][field], figures[base][field]) if names[0] != base else "-"
        yield [phase, *cells, of_base]


def tables(document):
    """(title, header, rows) of each table that the document's figures fill."""
    names = document["servers"]
    against = f"{names[0]} / {baseline_of(names)}"
    speed, memory = document["speed"], document["memory"]
    if speed:
        header = ["measure", "pipeline", *names, against]
        yield ("Server processor time, ns for each request", header,
               list(speed_rows(speed, names, "cpu_ns", 1, "{:.0f}")))
        if any(f["instructions"] is not None for row in speed.values() for f in row.values()):
            yield ("User instructions for each request", header,
                   list(speed_rows(speed, names, "instructions", 1, "{:.0f}")))
        yield ("Throughput, thousand requests each second", header,
               list(speed_rows(speed, names, "requests_per_second", 1e-3, "{:.0f}")))
        yield ("Latency of a batch, 99th percentile, microseconds", header,
               list(speed_rows(speed, names, "p99_us", 1, "{:.0f}")))
    if memory:
        yield ("Bytes each: by the server's own count (and by resident size)",
               ["what", *names, against], list(memory_rows(memory, names)))
    if document["bullmq"]:
        yield ("BullMQ: server processor time, microseconds for each job", ["phase", *names, against],
               list(bullmq_rows(document["bullmq"], names, "cpu_ns", 1e-3)))


def terminal(document):
    lines = []
    for title, header, rows in tables(document):
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        lines += ["", title]
        for row in [header, *rows]:
            lines.append("  ".join(c.ljust(w) if i == 0 else c.rjust(w)
                                   for i, (c, w) in enumerate(zip(row, widths))))
    return "\n".join(lines)


def markdown(document):
    lines = [f"Machine: {document['machine']}. Servers: "
             + ", ".join(f"{n} {v}" for n, v in document["versions"].items()) + ".",
             f"{document['rounds']} rounds of {document['seconds']} s, medians, "
             f"{document['connections']} connections."]
    for title, header, rows in tables(document):
        lines += ["", f"### {title}", "", "| " + " | ".join(header) + " |",
                  "|" + "|".join(["---"] + ["---:"] * (len(header) - 1)) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def plain(document):
    """The document with keys that JSON can hold."""
    speed = [{"measure": m, "pipeline": p, "servers": f} for (m, p), f in document["speed"].items()]
    return {**document, "speed": speed}
