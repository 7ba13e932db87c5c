-- Appends messages to the backlog, moves the head and publishes them, all or nothing.
-- KEYS: log, head, deleted users
-- ARGV: epoch, channel, life of an entry in the log and of a deleted user's (ms),
--       how many messages from the first are of deleted users, messages without id ...
-- Returns each message's id, of deleted users' in their own stream, or nothing when the epoch is
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
