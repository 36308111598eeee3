"""`make bench-index` and `make bench-peers`: Kith's index over real data, alone or beside others in the same run.

    run.py index    kernels, build, recall against speed, churn, filters
    run.py peers    build and search of Kith, hnswlib, FAISS, USearch and SVS, and their ratios

Writes tables to the screen, and JSON and SVG into --out.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import datasets
import plot

ROOT = datasets.ROOT
STANDARD = ["0.80", "0.90", "0.95", "0.97", "0.99", "0.995"]


def kith_bench(options, *words):
    """Runs kith-bench, its tables on our screen; answers its JSON."""
    with tempfile.TemporaryDirectory() as folder:
        result = pathlib.Path(folder) / "result.json"
        tiny = ["--tiny"] if options.tiny else []
        seconds = [f"--seconds={options.seconds}"] if words[0] != "kernels" else []
        command = [options.kith_bench, *words, *tiny, *seconds, "--json", result]
        subprocess.run(list(map(str, command)), check=True)
        return json.loads(result.read_text())


def search_points(report):
    """The points of a kith-bench report, as `measure` has them."""
    points = {}
    for table in report["results"]:
        for row in table["rows"] if table["name"] == "index search" else []:
            point = points.setdefault(row["recall_target"], {key: row[key] for key in ("recall_target", "recall", "effort")})
            point.setdefault("queries_per_second", {})[str(row["threads"])] = row["queries_per_second"]
            if row["threads"] == 1:
                point.update(p50_us=row["p50_us"], p99_us=row["p99_us"])
    return list(points.values())


def kith(options, dataset, kind):
    report = kith_bench(
        options, "index", *dataset.flags(), f"--kind={kind}", f"--recall={','.join(options.recall)}",
        f"--threads={','.join(map(str, options.threads))}", f"--batch={options.batch}")
    build = next(table["rows"][0] for table in report["results"] if table["name"] == "index build")
    figures = {key: build[key] for key in ("build_seconds", "vectors_per_second", "resident_bytes", "disk_bytes")}
    return {"name": f"kith {kind}", "set": dataset.name, **figures, "points": search_points(report)}, report


def peer(options, name, dataset):
    """In a process of its own, so that no other's memory or threads are counted."""
    with tempfile.TemporaryDirectory() as folder:
        result = pathlib.Path(folder) / "result.json"
        flags = [f"--recall={','.join(options.recall)}", f"--threads={','.join(map(str, options.threads))}", f"--seconds={options.seconds}"]
        subprocess.run([sys.executable, __file__, "peer", "--sets", dataset.folder, "--peers", name, "--out", result, *flags], check=True)
        return json.loads(result.read_text())


def measure_peer(options):
    import measure
    import peers

    dataset = datasets.Dataset(options.sets[0])
    targets, threads = list(map(float, options.recall)), options.threads
    figures = measure.measure(peers.PEERS[options.peers[0]], dataset, targets, threads, options.seconds)
    pathlib.Path(options.out).write_text(json.dumps(figures))


def rate(result, target, threads):
    """Queries a second where the recall was reached, else 0."""
    for point in result["points"]:
        if abs(point["recall_target"] - float(target)) < 1e-9 and point["recall"] >= float(target):
            return point["queries_per_second"].get(str(threads), 0)
    return 0


def ratio_table(results, options):
    """A row an index: figures, and how many times the best other one's (Kith's own rows are compared with the peers)."""
    targets = [target for target in options.recall if float(target) in (0.9, 0.95, 0.99)] or options.recall
    most = max(options.threads)
    rows = [["index", "build vec/s", "of hnswlib", "MB", *(f"{title}{target}" for target in targets for title in ("QPS@", "of best peer @"))]]
    others = [result for result in results if not result["name"].startswith("kith")]
    built = next((result["vectors_per_second"] for result in others if result["name"].startswith("hnswlib")), 0)
    for result in results:
        speed = result["vectors_per_second"] or 0
        row = [result["name"], f"{speed:,}", f"{speed / built:.2f}x" if built else "-", f"{result['resident_bytes'] / 1e6:,.0f}"]
        for target in targets:
            reached = [rate(result, target, count) for count in (1, most)]
            best = max((rate(other, target, 1) for other in others), default=0)
            row += [f"{reached[0]:,} / {reached[1]:,}" if reached[0] else "-", f"{reached[0] / best:.2f}x" if best and reached[0] else "-"]
        rows.append(row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) if number == 0 else cell.rjust(width)
                               for number, (cell, width) in enumerate(zip(row, widths))) for row in rows)


def write(options, name, dataset, results, reports):
    """JSON of everything, and the curves of one set."""
    folder = pathlib.Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    file = f"{folder}/{name}-{dataset.name}-{len(dataset.base)}"
    pathlib.Path(f"{file}.json").write_text(json.dumps({"results": results, "reports": reports}, indent=1) + "\n")
    lines = {result["name"]: [(point["recall"], point["queries_per_second"].get("1", 0)) for point in result["points"]] for result in results}
    title = f"{dataset.name}: {len(dataset.base):,} x {dataset.base.shape[1]}, {dataset.metric}"
    pathlib.Path(f"{file}.svg").write_text(plot.curves(title, lines))
    print(f"\n{file}.json and .svg\n")


def run_index(options, dataset):
    results, reports = [], [kith_bench(options, "kernels")]
    for kind in options.kinds:
        result, report = kith(options, dataset, kind)
        results.append(result)
        reports += [report, kith_bench(options, "churn", *dataset.flags(), f"--kind={kind}", "--query-count=1000"),
                    kith_bench(options, "filter", *dataset.flags(), f"--kind={kind}", "--query-count=1000")]
    write(options, "index", dataset, results, reports)


def run_peers(options, dataset):
    results, reports = [], []
    for kind in options.kinds:
        result, report = kith(options, dataset, kind)
        results.append(result)
        reports.append(report)
    for name in options.peers:
        print(f"measuring {name} over {dataset.name}", flush=True)
        results.append(peer(options, name, dataset))
    print(f"\n{dataset.name}, {len(dataset.base):,} vectors; QPS of 1 / {max(options.threads)} threads, ratios of 1 thread\n")
    print(ratio_table(results, options))
    write(options, "peers", dataset, results, reports)


def arguments():
    words = lambda text: text.split(",")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("index", "peers", "peer"), help=argparse.SUPPRESS)
    parser.add_argument("--sets", type=words, default=["dictionary", "sift"], help=f"of {', '.join(datasets.MAKERS)}, as NAME or NAME:COUNT; or folders")
    parser.add_argument("--kinds", type=words, default=["graph"], help="of Kith's index")
    parser.add_argument("--peers", type=words, default=["hnswlib", "faiss", "usearch", "svs"])
    parser.add_argument("--recall", type=words, default=STANDARD)
    parser.add_argument("--threads", type=lambda text: [int(word) for word in words(text)], default=sorted({1, os.cpu_count() or 1}))
    parser.add_argument("--batch", type=int, default=1, help="queries of one call of Kith's, as the others' searches get them all in one")
    parser.add_argument("--seconds", type=float, default=6, help="of each measured load, three passes together")
    parser.add_argument("--tiny", action="store_true", help="seconds of work over made-up data, to see that it runs")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / ".build/benchmarks/data")
    parser.add_argument("--out", default=ROOT / "bench-results")
    parser.add_argument("--kith-bench", type=pathlib.Path, default=ROOT / ".build/release/kith-bench")
    options = parser.parse_args()
    if options.tiny:
        options.sets, options.recall, options.seconds = ["synthetic"], ["0.80", "0.95"], 0.3
    return options


def main():
    options = arguments()
    if options.what == "peer":
        return measure_peer(options)
    for text in options.sets:
        dataset = datasets.load(text, options.data)
        (run_index if options.what == "index" else run_peers)(options, dataset)


if __name__ == "__main__":
    main()
