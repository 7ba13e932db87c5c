-- Makes a consumed challenge valid again: its sign-in could not be stored.
-- It stays counted as proven. Otherwise an outage of the database would look like an attack.
-- KEYS: receipt
local handle = redis.call('HGET', KEYS[1], 'handle')
if not handle then
  return 0
end
redis.call('HDEL', KEYS[1], 'handle')
redis.call('RENAME', KEYS[1], 'challenge:' .. handle)
return 1
