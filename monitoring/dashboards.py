#!/usr/bin/env python3
"""Writes what is made in this folder: the Grafana dashboards, and the alert rules as a PrometheusRule.

usage: monitoring/dashboards.py [--check]     (--check writes nothing and fails when a file is out of date)

Needs nothing but Python. Panels stand in `panels.py`, in the order in which they are shown, rules in `alerts.yaml`.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))

from panels import DASHBOARDS  # noqa: E402

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24


def target(number, query, kind):
    """A query of a panel: an expression, and what its lines are called."""
    expression, legend = query
    made = {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": expression,
        "legendFormat": legend,
        "refId": chr(ord("A") + number),
    }
    if kind in ("stat", "table", "bargauge"):
        made |= {"instant": True, "range": False}
    else:
        made |= {"instant": False, "range": True}
    if kind == "table":
        made["format"] = "table"
    if kind == "heatmap":
        made["format"] = "heatmap"
    return made


def thresholds(steps):
    """Colours: the first from below, each next one from its value on."""
    colours = steps or [(None, "text" if steps is None else "green")]
    return {"mode": "absolute", "steps": [{"color": colour, "value": value} for value, colour in colours]}


def options(kind, panel):
    if kind == "timeseries":
        return {
            "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["mean", "max", "lastNotNull"], "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    if kind == "stat":
        return {
            "colorMode": "background" if panel.get("steps") else "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "auto",
        }
    if kind == "bargauge":
        return {
            "displayMode": "gradient",
            "orientation": "horizontal",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showUnfilled": True,
        }
    if kind == "heatmap":
        return {
            "calculate": False,
            "cellGap": 1,
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
            "yAxis": {"unit": panel["unit"]},
            "tooltip": {"show": True, "yHistogram": False},
            "legend": {"show": True},
        }
    return {"showHeader": True, "cellHeight": "sm", "sortBy": panel.get("sort", [])}


def made_panel(number, panel, x, y):
    kind = panel.get("kind", "timeseries")
    custom = {}
    if kind == "timeseries":
        custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": False}
        if panel.get("stack"):
            custom |= {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 40}
        if panel.get("steps"):
            custom["thresholdsStyle"] = {"mode": "dashed"}
    defaults = {"unit": panel["unit"], "custom": custom, "thresholds": thresholds(panel.get("steps")), "mappings": []}
    for bound in ("min", "max", "decimals", "noValue"):
        if bound in panel:
            defaults[bound] = panel[bound]
    if kind != "timeseries" and panel.get("steps"):
        defaults["color"] = {"mode": "thresholds"}
    made = {
        "id": number,
        "type": kind,
        "title": panel["title"],
        "description": panel["about"],
        "datasource": DATASOURCE,
        "gridPos": {"x": x, "y": y, "w": panel["w"], "h": panel["h"]},
        "targets": [target(index, query, kind) for index, query in enumerate(panel["queries"])],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options(kind, panel),
    }
    if panel.get("links"):
        made["links"] = [{"title": title, "url": url, "targetBlank": True} for title, url in panel["links"]]
    if kind == "table":
        hidden = {name: True for name in ["Time", "__name__", *panel.get("hide", [])]}
        made["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden, "renameByName": panel.get("rename", {})}}]
    return made


def variable(name, label, query, depends=""):
    """A choice above the dashboard, filled from a label's values."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "variable"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def dashboard(slug, described):
    panels, number, y = [], 0, 0
    for row, contents in described["rows"]:
        number += 1
        panels.append({"id": number, "type": "row", "title": row, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        y, x, height = y + 1, 0, 0
        for panel in contents:
            if x + panel["w"] > COLUMNS:
                y, x, height = y + height, 0, 0
            number += 1
            panels.append(made_panel(number, panel, x, y))
            x, height = x + panel["w"], max(height, panel["h"])
        y += height
    source = {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "refresh": 1,
    }
    return {
        "uid": f"sluice-{slug}",
        "title": f"Sluice / {described['title']}",
        "description": described["about"],
        "tags": ["sluice"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "templating": {"list": [source, *(variable(*described_variable) for described_variable in described["variables"])]},
        "annotations": {
            "list": [
                {
                    "name": "A process started",
                    "datasource": DATASOURCE,
                    "enable": True,
                    "iconColor": "blue",
                    "expr": "changes(process_start_time_seconds[1m]) > 0 and on (instance) sluice_build_info",
                    "titleFormat": "{{instance}} started",
                }
            ]
        },
        "links": [
            {
                "title": "Sluice",
                "type": "dashboards",
                "tags": ["sluice"],
                "asDropdown": False,
                "includeVars": True,
                "keepTime": True,
            }
        ],
        "panels": panels,
    }


def prometheus_rule():
    """The alert rules as the Prometheus operator takes them."""
    rules = (HERE / "alerts.yaml").read_text(encoding="utf-8")
    indented = "".join(f"  {line}\n" if line else "\n" for line in rules[rules.index("groups:") :].splitlines())
    return (
        "# Made from alerts.yaml by dashboards.py: change it there.\n"
        "apiVersion: monitoring.coreos.com/v1\n"
        "kind: PrometheusRule\n"
        "metadata:\n"
        "  name: sluice\n"
        "  labels:\n"
        "    # What kube-prometheus-stack selects unless it is told otherwise.\n"
        "    release: kube-prometheus-stack\n"
        "spec:\n" + indented
    )


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    wanted = {
        HERE / "dashboards" / f"{slug}.json": json.dumps(dashboard(slug, described), indent=2, ensure_ascii=False) + "\n"
        for slug, described in DASHBOARDS.items()
    }
    wanted[HERE / "prometheus-rule.yaml"] = prometheus_rule()
    stale = []
    for path, text in wanted.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.name)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in (HERE / "dashboards").glob("*.json"):
        if path not in wanted:
            stale.append(path.name)
            if not check:
                path.unlink()
    if check and stale:
        sys.exit(f"out of date: {', '.join(sorted(stale))}; run monitoring/dashboards.py")
    for name in stale:
        print(name)


if __name__ == "__main__":
    main()
