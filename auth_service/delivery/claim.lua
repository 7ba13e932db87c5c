-- Claims entries for a consumer: those of dead consumers first, then new ones.
-- KEYS: stream   ARGV: group, consumer, age (ms) after which a claim is stale, most entries
-- Returns a list of {stream id, fields}
local claimed = {}
local stale = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], '0', 'COUNT', ARGV[4])
for _, entry in ipairs(stale[2]) do
  claimed[#claimed + 1] = entry
end
if #claimed < tonumber(ARGV[4]) then
  local fresh = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[4] - #claimed,
    'STREAMS', KEYS[1], '>')
  if fresh then
    for _, entry in ipairs(fresh[1][2]) do
      claimed[#claimed + 1] = entry
    end
  end
end
return claimed
