-- Posts the bodies of one file (its first argument, a body a line) in rotation, and at the end
-- prints one line of JSON: counts, errors by kind, percentiles in microseconds.

local requests = {}
local turn = 0

function init(args)
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded;charset=utf-8" }
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", wrk.path, headers, body)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency, _)
  local errors = {}
  for kind, count in pairs(summary.errors) do
    errors[#errors + 1] = string.format('"%s": %d', kind, count)
  end
  io.write(string.format(
    '{"answers": %d, "seconds": %.6f, "p50_us": %.1f, "p99_us": %.1f, "errors": {%s}}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    table.concat(errors, ", ")
  ))
end
