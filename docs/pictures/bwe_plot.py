"""Draws one simulated run as SVG. Reads what `bwe_change_test series <name>` prints:

    build/release/test/sim/bwe_change_test series halving | python3 docs/pictures/bwe_plot.py "title" > docs/pictures/bwe-halving.svg
"""
import csv
import sys

WIDTH, LEFT, RIGHT = 760, 66, 12
TOP, RATES, GAP, QUEUE, BOTTOM = 28, 190, 22, 80, 34
HEIGHT = TOP + RATES + GAP + QUEUE + BOTTOM
COLOURS = ["#1a56b0", "#c2410c"]


def nice(top):
    for step in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500):
        if top / step <= 5:
            return step
    return 1000


def main(title):
    rows = [{k: float(v) for k, v in r.items()} for r in csv.DictReader(sys.stdin)]
    end = max(r["time"] for r in rows)
    flows = [i for i in range(4) if f"target{i}" in rows[0]]
    tcp = any(r["tcp"] > 0 for r in rows)
    rate_top = 1.25 * max(r["capacity"] for r in rows) / 1e6
    queue_top = max(200.0, max(r["queue_max"] for r in rows))
    out = []

    def x(t):
        return LEFT + (WIDTH - LEFT - RIGHT) * t / end

    def y_rate(mbit):
        return TOP + RATES - RATES * min(max(mbit, 0), rate_top) / rate_top

    def y_queue(ms):
        return TOP + RATES + GAP + QUEUE - QUEUE * min(ms, queue_top) / queue_top

    def line(points, colour, width=1.2, dash=""):
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        extra = f' stroke-dasharray="{dash}"' if dash else ""
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="{width}"{extra} points="{path}"/>')

    def text(px, py, what, anchor="end", colour="#444"):
        out.append(f'<text x="{px:.1f}" y="{py:.1f}" text-anchor="{anchor}" fill="{colour}">{what}</text>')

    def grid(top, y, unit):
        step, v = nice(top), 0.0
        while v <= top + 1e-9:
            out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="#ddd"/>')
            text(LEFT - 5, y(v) + 4, f"{v:g}{unit if v + step > top else ''}")
            v += step

    grid(rate_top, y_rate, " Mbit/s")
    grid(queue_top, y_queue, " ms")
    for t in range(0, int(end) + 2, 10):
        text(x(t), HEIGHT - 16, f"{t} s", "middle")
    steps = []
    for r in rows:
        if steps:
            steps.append((x(r["time"]), steps[-1][1]))
        steps.append((x(r["time"]), y_rate(r["capacity"] / 1e6)))
    line(steps, "#888", 1.4, "5 3")
    legend = [("capacity", "#888")]
    if tcp:
        mean = [sum(q["tcp"] for q in rows[max(0, i - 4):i + 5]) / len(rows[max(0, i - 4):i + 5]) for i in range(len(rows))]
        line([(x(r["time"]), y_rate(m / 1e6)) for r, m in zip(rows, mean)], "#7c3aed", 1)
        legend.append(("TCP, received", "#7c3aed"))
    for i in flows:
        got = [(x(r["time"]), y_rate(r[f"arrived{i}"] / 1e6)) for r in rows if r[f"arrived{i}"] > 0]
        out.append('<g opacity="0.35">')
        line(got, COLOURS[i], 0.8)
        out.append("</g>")
    for i in flows:
        line([(x(r["time"]), y_rate(r[f"target{i}"] / 1e6)) for r in rows if r[f"target{i}"] > 0], COLOURS[i], 1.6)
        legend.append((f"estimate{f' {i + 1}' if len(flows) > 1 else ''} (faint: received)", COLOURS[i]))
    line([(x(r["time"]), y_queue(r["queue_max"])) for r in rows], "#047857", 1)
    legend.append(("queue, longest in 100 ms", "#047857"))
    line([(LEFT, y_queue(150)), (WIDTH - RIGHT, y_queue(150))], "#b91c1c", 0.8, "2 3")
    text(LEFT, 16, title, "start", "#111")
    px = LEFT
    for name, colour in legend:
        out.append(f'<rect x="{px}" y="{HEIGHT - 10}" width="14" height="4" fill="{colour}"/>')
        text(px + 18, HEIGHT - 4, name, "start")
        px += 30 + 6.2 * len(name)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">')
    print(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>')
    print("\n".join(out))
    print("</svg>")


main(sys.argv[1] if len(sys.argv) > 1 else "")
