-- Appends a message to the backlog, moves the head and publishes, all or nothing.
-- KEYS: log, head   ARGV: epoch, message without id, life of a log entry (ms), channel
-- Returns the entry's id, or nothing when the epoch is another one.
if redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[1] then
  return false
end
local time = redis.call('TIME')
local oldest = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[3])
local id = redis.call('XADD', KEYS[1], 'MINID', '~', oldest, '*', 'm', ARGV[2])
redis.call('HSET', KEYS[2], 'last', id)
redis.call('PUBLISH', ARGV[4], '{"id":"' .. id .. '",' .. string.sub(ARGV[2], 2))
return id
