-- Consumes a challenge by the ticket mailed with its code: using either invalidates both.
-- KEYS: ticket, receipt
-- ARGV: now (ms), ticket digest
-- Returns {'right', context} or {'none'}
local handle = redis.call('GET', KEYS[1])
if not handle then
  return {'none'}
end
local key = 'challenge:' .. handle
local found = redis.call('HMGET', key, 'ticket', 'expires_at', 'context', 'void', 'asked_at')
if found[1] ~= ARGV[2] or tonumber(found[2]) <= tonumber(ARGV[1]) then
  return {'none'}
end
local invalidated_before = found[4] and tonumber(redis.call('GET', found[4]) or 0) or 0
if is_invalidated(found[5], found[2], invalidated_before) then
  return {'none'}
end
redis.call('RENAME', key, KEYS[2])
redis.call('HSET', KEYS[2], 'handle', handle)
return {'right', found[3]}
