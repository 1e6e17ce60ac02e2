"""Grafana's dashboards, made from code: what a panel asks is typed, checked and run."""
