-- Says that everything is told which was committed when a round began.
-- KEYS: head
-- ARGV: the round
-- Passed over: a round older than one of which this was said, and one that the count, which may have
-- been lost, has not reached.
local told = tonumber(redis.call('HGET', KEYS[1], 'told') or 0)
local begun = tonumber(redis.call('HGET', KEYS[1], 'begun') or 0)
local round = tonumber(ARGV[1])
if told < round and round <= begun then
  redis.call('HSET', KEYS[1], 'told', round)
end
