-- Stores a challenge and its delivery, or counts nothing and says which limit refuses.
-- KEYS: challenge, newest pointer, delivery stream, known client, then one list per scope
-- ARGV: now (ms), expires_at (ms), handle digest, code mac, destination digest, delivery id,
--       sealed delivery, sealed context,
--       scopes as JSON {{whom it refuses, {{count, window_ms}, ...}}, ...}, held (0/1)
local now, expires_at = tonumber(ARGV[1]), tonumber(ARGV[2])
local scopes = cjson.decode(ARGV[9])
local known = redis.call('EXISTS', KEYS[4]) == 1
local held = ARGV[10] == '1'
for i, scope in ipairs(scopes) do
  local refuses = scope[1] == 'everybody' or not known and (scope[1] == 'strangers' or not held)
  if refuses then
    local wait = wait_of(KEYS[4 + i], scope[2], now)
    if wait > 0 then
      return {i, wait}
    end
  end
end
for i, scope in ipairs(scopes) do
  count_event(KEYS[4 + i], scope[2], now)
end
redis.call('HSET', KEYS[1], 'mac', ARGV[4], 'destination', ARGV[5], 'expires_at', expires_at,
  'context', ARGV[8],
  'wrong_handle', 0, 'wrong_newest', 0)
redis.call('PEXPIREAT', KEYS[1], expires_at)
redis.call('SET', KEYS[2], ARGV[3], 'PXAT', expires_at)
redis.call('XADD', KEYS[3], '*', 'id', ARGV[6], 'not_after', expires_at, 'sealed', ARGV[7])
return {0, 0}
