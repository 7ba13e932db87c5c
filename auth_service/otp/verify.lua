-- Verifies, counts and consumes in one step.
-- KEYS: newest pointer, receipt, known client, codes proven in the range of numbers or '' when none
--       is watched, then one list per scope of wrong tries, then until when the destination's
--       challenges are void: those that expire no later
-- ARGV: now (ms), handle digest or '', destination digest, most wrong tries,
--       scopes as JSON {{{count, window_ms}, ...}, ...}, how long a client is known (ms), then a mac of the code for every key
-- Returns {'right', context}, {'wrong'}, {'none'} or {'limited', wait ms}
local now = tonumber(ARGV[1])
local handle, counter = ARGV[2], 'wrong_handle'
if handle == '' then
  handle, counter = redis.call('GET', KEYS[1]), 'wrong_newest'
end
if not handle then
  return {'none'}
end
local key = 'challenge:' .. handle
local found = redis.call('HMGET', key, 'mac', 'destination', 'expires_at', counter, 'context')
if not found[1] or found[2] ~= ARGV[3] or tonumber(found[3]) <= now
  or tonumber(found[4]) >= tonumber(ARGV[4]) then
  return {'none'}
end
local void = redis.call('GET', KEYS[#KEYS])
if void and tonumber(found[3]) <= tonumber(void) then
  return {'none'}
end
local scopes = cjson.decode(ARGV[5])
for i, rates in ipairs(scopes) do
  local wait = wait_of(KEYS[4 + i], rates, now)
  if wait > 0 then
    return {'limited', wait}
  end
end
for i = 7, #ARGV do
  if found[1] == ARGV[i] then
    -- Kept under the receipt until it would have expired, in case the sign-in cannot be stored.
    redis.call('RENAME', key, KEYS[2])
    redis.call('HSET', KEYS[2], 'handle', handle)
    redis.call('SET', KEYS[3], 1, 'PX', ARGV[6])
    if KEYS[4] ~= '' then
      note(KEYS[4], now)
      redis.call('HSET', KEYS[2], 'proven', KEYS[4], 'proven_at', now)
    end
    return {'right', found[5]}
  end
end
redis.call('HINCRBY', key, counter, 1)
for i, rates in ipairs(scopes) do
  count_event(KEYS[4 + i], rates, now)
end
return {'wrong'}
