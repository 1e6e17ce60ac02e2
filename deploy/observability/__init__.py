"""What a team watches of Murmur: rules, routes, runbooks, dashboards."""
