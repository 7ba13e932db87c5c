-- Appends messages to the stream, moves the head and publishes them, all or nothing.
-- KEYS: stream, head, deleted users' stream
-- ARGV: epoch, channel, life of an entry in the stream and in the deleted users' stream (ms),
--       how many of the first messages are of deleted users, messages without id ...
-- Returns each message's entry id (of deleted users: in their stream), or nothing if the epoch is
-- another one.
if redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[1] then
  return false
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function append(stream, life, message)
  local oldest = string.format('%.0f', math.max(0, now - life))
  return redis.call('XADD', stream, 'MINID', '=', oldest, '*', 'm', message)
end
local ids = {}
local last
for i = 6, #ARGV do
  local message = ARGV[i]
  last = append(KEYS[1], ARGV[3], message)
  ids[#ids + 1] = i - 5 <= tonumber(ARGV[5]) and append(KEYS[3], ARGV[4], message) or last
  redis.call('PUBLISH', ARGV[2], '{"id":"' .. last .. '",' .. string.sub(message, 2))
end
redis.call('HSET', KEYS[2], 'last', last)
return ids
