"""Recall against queries a second, as an SVG: no library needed. A line each; up and to the right is better."""

import html
import math

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 480, 80, 40, 190, 50
COLOURS = ("#1b6ca8", "#d1495b", "#3a7d44", "#edae49", "#6a4c93", "#555555", "#00798c", "#a44a3f")


def across(recall, lowest):
    """Recall on a scale of what is missed: from 0.99 to 0.999 is as far as from 0.9 to 0.99."""
    position = lambda value: -math.log10(max(1 - value, 1e-4))
    share = (position(recall) - position(lowest)) / (position(1) - position(lowest))
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def curves(title, lines):
    """`lines`: by name, points of recall and rate."""
    lines = {name: sorted(point for point in points if point[1] > 0) for name, points in lines.items()}
    every = [point for points in lines.values() for point in points]
    lowest = min(0.8, *(recall for recall, _ in every)) if every else 0.8
    decades = (math.floor(math.log10(min((rate for _, rate in every), default=1))),
               math.ceil(math.log10(max((rate for _, rate in every), default=10)) + 1e-9))
    down = lambda rate: TOP + (decades[1] - math.log10(rate)) / max(decades[1] - decades[0], 1) * (HEIGHT - TOP - BOTTOM)
    text = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<text x="{LEFT}" y="24" font-size="15">{html.escape(title)}</text>']
    for decade in range(decades[0], decades[1] + 1):
        for step in (1, 2, 5):
            rate = step * 10**decade
            if rate <= 10 ** decades[1]:
                text.append(f'<path d="M{LEFT} {down(rate):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                            f'<text x="{LEFT - 6}" y="{down(rate) + 4:.1f}" text-anchor="end">{rate:,}</text>')
    for recall in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999):
        if recall >= lowest:
            x = across(recall, lowest)
            text.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>'
                        f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{recall}</text>')
    text.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">recall@10</text>'
                f'<text x="16" y="{HEIGHT / 2}" transform="rotate(-90 16 {HEIGHT / 2})" text-anchor="middle">queries a second, 1 thread</text>')
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{across(recall, lowest):.1f},{down(rate):.1f}" for recall, rate in points)
        text.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        text += [f'<circle cx="{across(recall, lowest):.1f}" cy="{down(rate):.1f}" r="3" fill="{colour}"/>' for recall, rate in points]
        y = TOP + 10 + 20 * number
        text.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="14" height="4" fill="{colour}"/>'
                    f'<text x="{WIDTH - RIGHT + 34}" y="{y - 2}">{html.escape(name)}</text>')
    return "\n".join([*text, "</svg>", ""])
