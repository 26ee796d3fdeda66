-- Makes the one request of a run and prints its result as a line of JSON. No function of this file
-- is called per answer, and none per request unless they are pipelined, so wrk sends a buffer that
-- it made once.
-- Arguments: the method, the length of the body (0 for none), the byte it consists of, how many
-- requests to send at once.

function init(args)
  wrk.method = args[1]
  local length = tonumber(args[2])
  if length > 0 then
    wrk.body = string.rep(args[3], length)
  end
  local count = tonumber(args[4])
  if count > 1 then
    local batch = string.rep(wrk.format(), count)
    request = function() return batch end
  end
end

-- Times are in microseconds; os.clock is the CPU time of the generator's whole process.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"bytes":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,' ..
      '"status":%d,"p50":%d,"p99":%d,"p999":%d,"cpu":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.connect, errors.read, errors.write,
    errors.timeout, errors.status, latency:percentile(50), latency:percentile(99),
    latency:percentile(99.9), os.clock() * 1e6))
end
