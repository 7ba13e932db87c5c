-- Verifies, counts and consumes in one step.
-- KEYS: newest pointer, queued pointer, receipt, the destination's known devices, the time before
--       which its challenges are invalidated, code funnel, then one list per scope of wrong tries
-- ARGV: the try as JSON, device id or ''
-- The try: now (ms); handle (digest or ''); destination (digest); max_attempts;
-- macs (of the code, one for every key); scopes {{applies_to, {{count, window_ms}, ...}}, ...}
-- Without a handle, tries count against the newest challenge. If a limit dropped that one's message,
-- the newest queued challenge holds the code: requesting more codes cannot make it worthless.
-- Returns {'right', context}, {'wrong'}, {'none'} or {'limited', wait ms, index of the scope that is full}
local try, device = cjson.decode(ARGV[1]), ARGV[2]
local now, scopes = try.now, try.scopes
local by_handle = try.handle ~= ''
local counter = by_handle and 'wrong_handle' or 'wrong_newest'
local FIRST_SCOPE = 7
local invalidated_before = tonumber(redis.call('GET', KEYS[5]) or 0)

-- Returns a challenge that may still be tried, else nil.
local function find_live(handle)
  local found = redis.call('HMGET', 'challenge:' .. handle,
    'mac', 'destination', 'expires_at', counter, 'context', 'noted', 'asked_at', 'counted')
  if not found[1] or found[2] ~= try.destination or tonumber(found[3]) <= now
    or is_invalidated(found[7], found[3], invalidated_before) or tonumber(found[4]) >= try.max_attempts then
    return nil
  end
  return found
end

local counted, queued = try.handle, try.handle
if not by_handle then
  local pointers = redis.call('MGET', KEYS[1], KEYS[2])
  counted, queued = pointers[1], pointers[2] or pointers[1]
end
local challenge = counted and find_live(counted)
if not challenge then
  return {'none'}
end
local compared = queued == counted and challenge or find_live(queued)

local known = is_known(KEYS[4], device, now)
local wait, full = 0, 0
for i, scope in ipairs(scopes) do
  if not (known and scope[1] == 'unknown_devices') then
    local scope_wait = wait_of(KEYS[FIRST_SCOPE + i - 1], scope[2], now)
    if scope_wait > wait then
      wait, full = scope_wait, i
    end
  end
end
if wait > 0 and not by_handle then
  count_code(KEYS[6], 'wrong', 1)
  return {'limited', wait, full}
end

for _, mac in ipairs(compared and try.macs or {}) do
  if compared[1] == mac then
    -- Kept under the receipt until it would have expired, in case the sign-in cannot be stored.
    redis.call('RENAME', 'challenge:' .. queued, KEYS[3])
    redis.call('HSET', KEYS[3], 'handle', queued, 'counted', 1)
    if not compared[8] then -- a restored code counts once, however often it is entered
      if compared[6] and compared[6] ~= '' then
        add_event(compared[6], now)
      end
      count_code(KEYS[6], 'proven', 1)
    end
    return {'right', compared[5]}
  end
end
redis.call('HINCRBY', 'challenge:' .. counted, counter, 1)
if compared and queued ~= counted then
  redis.call('HINCRBY', 'challenge:' .. queued, counter, 1)
end
count_code(KEYS[6], 'wrong', 1)
if wait > 0 then
  return {'limited', wait, full}
end
for i, scope in ipairs(scopes) do
  count_event(KEYS[FIRST_SCOPE + i - 1], scope[2], now)
end
return {'wrong'}
