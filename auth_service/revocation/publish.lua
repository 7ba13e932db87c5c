-- Appends messages to the stream, moves the head and publishes them, all or nothing.
-- KEYS: stream, head, deleted users' stream
-- ARGV: epoch, channel, channel of markers, marker that ends the publication,
--       life of an entry in the stream and in the deleted users' stream (ms),
--       how many of the first messages are of deleted users, messages without id ...
-- Returns the head's entry and then each message's entry id (of deleted users: in their stream), or
-- nothing if the epoch is another one.
local FIRST = 8
if redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[1] then
  return false
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function append(stream, life, message)
  local oldest = string.format('%.0f', math.max(0, now - life))
  return redis.call('XADD', stream, 'MINID', '=', oldest, '*', 'm', message)
end
local last = redis.call('HGET', KEYS[2], 'last') or '0-0'
local ids = {last}
for i = FIRST, #ARGV do
  local message = ARGV[i]
  last = append(KEYS[1], ARGV[5], message)
  ids[#ids + 1] = i - FIRST < tonumber(ARGV[7]) and append(KEYS[3], ARGV[6], message) or last
  redis.call('PUBLISH', ARGV[2], '{"id":"' .. last .. '",' .. string.sub(message, 2))
end
ids[1] = last
redis.call('HSET', KEYS[2], 'last', last)
redis.call('PUBLISH', ARGV[3], ARGV[4])
return ids
