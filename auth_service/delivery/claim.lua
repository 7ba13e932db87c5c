-- Takes entries for a consumer: those that others left in hand too long first, then new ones.
-- KEYS: stream   ARGV: group, consumer, longest silence of a live consumer (ms), most entries
-- Returns a list of {place, fields}
local taken = {}
local stale = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], '0', 'COUNT', ARGV[4])
for _, entry in ipairs(stale[2]) do
  taken[#taken + 1] = entry
end
if #taken < tonumber(ARGV[4]) then
  local fresh = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[4] - #taken,
    'STREAMS', KEYS[1], '>')
  if fresh then
    for _, entry in ipairs(fresh[1][2]) do
      taken[#taken + 1] = entry
    end
  end
end
return taken
