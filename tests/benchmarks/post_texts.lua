-- wrk's requests: the bodies of a file, one a line, in turn and over again.
local bodies, place = {}, 0
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local path, headers = os.getenv("CALL"), {["Content-Type"] = "application/json"}

request = function()
  place = place % #bodies + 1
  return wrk.format("POST", path, headers, bodies[place])
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "refused": %d, "lost": %d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
