-- Starts a new epoch, once every live revocation has been appended.
-- KEYS: stream, head, stream of the last entry that was appended
-- ARGV: the epoch to replace ('' for none), the new epoch, id of the last entry ('' for none)
-- Returns 1, or 0 if another publisher has replaced the epoch or the last entry is lost.
if (redis.call('HGET', KEYS[2], 'epoch') or '') ~= ARGV[1] then
  return 0
end
if ARGV[3] ~= '' and #redis.call('XRANGE', KEYS[3], ARGV[3], ARGV[3]) == 0 then
  return 0
end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
redis.call('HSET', KEYS[2], 'epoch', ARGV[2], 'last', newest[1] and newest[1][1] or '0-0')
return 1
