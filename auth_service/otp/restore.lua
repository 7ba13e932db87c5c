-- Makes a consumed challenge valid again and uncounts it: its sign-in could not be stored.
-- KEYS: receipt
local receipt = redis.call('HMGET', KEYS[1], 'handle', 'proven', 'proven_at', 'funnel')
local handle, proven = receipt[1], receipt[2]
if not handle then
  return 0
end
if proven then
  redis.call('LREM', proven, 1, receipt[3])
end
if receipt[4] then
  count_code(receipt[4], 'proven', -1)
end
redis.call('HDEL', KEYS[1], 'handle', 'proven', 'proven_at', 'funnel')
redis.call('RENAME', KEYS[1], 'challenge:' .. handle)
return 1
