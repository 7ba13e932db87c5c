-- Reads the epoch, and which of the given entries are missing.
-- KEYS: stream, head, deleted users' stream
-- ARGV: how many of the ids belong to the deleted users' stream, ids of expected entries ...
-- Returns the epoch, whether the stream has its head's entry, and the ids that are missing.
local function has(stream, id)
  return #redis.call('XRANGE', stream, id, id) > 0
end
local missing = {}
for i = 2, #ARGV do
  local stream = i - 1 <= tonumber(ARGV[1]) and KEYS[3] or KEYS[1]
  if not has(stream, ARGV[i]) then
    missing[#missing + 1] = ARGV[i]
  end
end
local head = redis.call('HMGET', KEYS[2], 'epoch', 'last')
local last = head[2] or '0-0'
local has_head_entry = last == '0-0' or has(KEYS[1], last)
return {head[1] or '', has_head_entry and 1 or 0, missing}
