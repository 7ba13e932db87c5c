-- Tells the group that the consumer is alive; returns the places that another one has taken over.
-- An entry that is not pending any more was finished: its worker may not have heard of it yet.
-- KEYS: stream   ARGV: group, consumer, places...
local lost = {}
for i = 3, #ARGV do
  local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
  if held[1] and held[1][2] == ARGV[2] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  elseif held[1] then
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
