-- Counts a notice in every scope, or counts one more that is left out.
-- KEYS: count of those left out, then one list per scope: the user's own one, which alone refuses,
--       then those that only count
-- ARGV: now (ms), rates of each scope as JSON {{{count, window_ms}, ...}, ...}, how long a count of
--       those left out lives (ms)
-- Returns {1, left out since the last one} or {0}
local now, scopes = tonumber(ARGV[1]), cjson.decode(ARGV[2])
if wait_of(KEYS[2], scopes[1], now) > 0 then
  redis.call('INCR', KEYS[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return {0}
end
for i, rates in ipairs(scopes) do
  count_event(KEYS[1 + i], rates, now)
end
return {1, tonumber(redis.call('GETDEL', KEYS[1]) or 0)}
