-- Records that a provider is about to be asked.
-- KEYS: stream, attempts of the delivery
-- ARGV: group, consumer, stream id, provider, forget attempts at (ms)
-- Returns 'go', 'lost' (another consumer has the entry), or the result of an earlier attempt:
-- 'unknown' (asked, never answered) or 'refused'
local claim = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
if not claim[1] or claim[1][2] ~= ARGV[2] then
  return 'lost'
end
local before = redis.call('HGET', KEYS[2], ARGV[4])
if before == 'asked' then
  return 'unknown'
end
if before == 'refused' then
  return 'refused'
end
redis.call('HSET', KEYS[2], ARGV[4], 'asked')
redis.call('PEXPIREAT', KEYS[2], ARGV[5])
return 'go'
