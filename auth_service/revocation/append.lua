-- Appends messages to a stream without publishing them; the epoch that they belong to starts later.
-- KEYS: stream, stream of the last entry that was appended before
-- ARGV: id of that entry ('' for none), messages without id ...
-- Returns the entries' ids, or nothing if the last entry is lost.
if ARGV[1] ~= '' and #redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1]) == 0 then
  return false
end
local ids = {}
for i = 2, #ARGV do
  ids[i - 1] = redis.call('XADD', KEYS[1], '*', 'm', ARGV[i])
end
return ids
