-- Renews a consumer's claims; returns the stream ids that another consumer has taken over.
-- An entry that is no longer pending was finished: its worker may not have seen the answer yet.
-- KEYS: stream   ARGV: group, consumer, stream ids...
local lost = {}
for i = 3, #ARGV do
  local claim = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
  if claim[1] and claim[1][2] == ARGV[2] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  elseif claim[1] then
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
