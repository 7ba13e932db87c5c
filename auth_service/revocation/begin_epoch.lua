-- Sets a new epoch once everything that is revoked has been appended, unless somebody else has.
-- KEYS: log, head, stream of what was appended last
-- ARGV: the epoch that was found ('' for none), the new epoch, id of what was appended last
-- Returns 1 when the new epoch is set, 0 when it is another one or what was appended is lost.
if (redis.call('HGET', KEYS[2], 'epoch') or '') ~= ARGV[1] then
  return 0
end
if ARGV[3] ~= '' and #redis.call('XRANGE', KEYS[3], ARGV[3], ARGV[3]) == 0 then
  return 0
end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
redis.call('HSET', KEYS[2], 'epoch', ARGV[2], 'last', newest[1] and newest[1][1] or '0-0')
return 1
