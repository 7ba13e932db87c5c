-- Sets a new epoch once everything that is revoked has been appended, unless somebody else has.
-- KEYS: log, head   ARGV: the epoch that was found ('' for none), the new epoch
-- Returns 1 when the new epoch is set.
if (redis.call('HGET', KEYS[2], 'epoch') or '') ~= ARGV[1] then
  return 0
end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
redis.call('HSET', KEYS[2], 'epoch', ARGV[2], 'last', newest[1] and newest[1][1] or '0-0')
return 1
