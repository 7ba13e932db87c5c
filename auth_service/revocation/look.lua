-- Tells what the backlog really holds.
-- KEYS: log, head, deleted users
-- ARGV: how many of the ids are of deleted users, ids of entries that should be there ...
-- Returns the epoch, whether the log has its head's entry, and the ids that are lacking.
local function holds(stream, id)
  return #redis.call('XRANGE', stream, id, id) > 0
end
local lacking = {}
for i = 2, #ARGV do
  local stream = i - 1 <= tonumber(ARGV[1]) and KEYS[3] or KEYS[1]
  if not holds(stream, ARGV[i]) then
    lacking[#lacking + 1] = ARGV[i]
  end
end
local head = redis.call('HMGET', KEYS[2], 'epoch', 'last')
local last = head[2] or '0-0'
local whole = last == '0-0' or holds(KEYS[1], last)
return {head[1] or '', whole and 1 or 0, lacking}
