-- Appends messages to a stream; nobody is told before the epoch begins.
-- KEYS: stream, stream of what was appended before
-- ARGV: id of what was appended before ('' for nothing), messages without id ...
-- Returns the entries' ids, or nothing when what was appended before is lost.
if ARGV[1] ~= '' and #redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1]) == 0 then
  return false
end
local ids = {}
for i = 2, #ARGV do
  ids[i - 1] = redis.call('XADD', KEYS[1], '*', 'm', ARGV[i])
end
return ids
