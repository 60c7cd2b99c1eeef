# SPDX-License-Identifier: BSD-3-Clause
"""Server processor time for each request, and throughput: rounds interleaved over the servers."""

import statistics

from . import loadgen


def fill(servers, measures, core):
    for server in servers:
        done = set()
        for measure in measures:
            if measure.fill and measure.fill not in done:
                done.add(measure.fill)
                loadgen.run(server, measure.fill, core, pipeline=64, n=measure.fill_requests)
            for command in measure.prepare:
                server.client.call(*command)


def one(server, measure, pipeline, seconds, core, seed, connections):
    # A quarter of the pipeline's batches warm caches and buffers; they are not counted.
    figures = loadgen.run(server, measure.template, core, connections, pipeline, t=seconds,
                          w=connections * pipeline * 4, seed=seed, **measure.options)
    requests = figures["requests"]
    instructions = figures["server_instructions"]
    return {
        "cpu_ns": figures["server_cpu_ns"] / requests,
        "instructions": instructions / requests if instructions >= 0 else None,
        "requests_per_second": figures["requests_per_second"],
        "p50_us": figures["p50_us"], "p99_us": figures["p99_us"],
    }


def median(rounds):
    result = {}
    for name in rounds[0]:
        values = [r[name] for r in rounds if r[name] is not None]
        result[name] = statistics.median(values) if values else None
    values = [r["cpu_ns"] for r in rounds]
    result["cpu_ns_low"], result["cpu_ns_high"] = min(values), max(values)
    return result


def run(servers, measures, pipelines, rounds, seconds, core, connections, progress):
    """Returns {(measure, pipeline): {server: figures}}."""
    fill(servers, measures, core)
    results = {}
    for measure in measures:
        for pipeline in pipelines:
            progress(f"{measure.name} pipeline {pipeline}")
            taken = {server.name: [] for server in servers}
            for number in range(rounds):
                for server in servers:
                    taken[server.name].append(
                        one(server, measure, pipeline, seconds, core, number + 1, connections))
            results[measure.name, pipeline] = {name: median(r) for name, r in taken.items()}
    return results
