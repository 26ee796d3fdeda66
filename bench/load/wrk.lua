-- Makes the one request of a run and prints its result as a line of JSON. No function of this file
-- is called per request or answer, so wrk sends a buffer that it made once.
-- Arguments: the method, the length of the body (0 for none), the byte it consists of.

function init(args)
  wrk.method = args[1]
  local length = tonumber(args[2])
  if length > 0 then
    wrk.body = string.rep(args[3], length)
  end
end

-- Times are in microseconds; os.clock is the CPU time of the generator's whole process.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"bytes":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,' ..
      '"status":%d,"p50":%d,"p99":%d,"max":%d,"cpu":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.connect, errors.read, errors.write,
    errors.timeout, errors.status, latency:percentile(50), latency:percentile(99), latency.max,
    os.clock() * 1e6))
end
