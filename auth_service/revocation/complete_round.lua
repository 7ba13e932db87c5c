-- Records that everything committed before a round started has been published.
-- KEYS: head
-- ARGV: the round
-- Ignored: a round before the newest complete one, and one that the counter, which may have been
-- lost, has not reached.
local completed = tonumber(redis.call('HGET', KEYS[1], 'told') or 0)
local started = tonumber(redis.call('HGET', KEYS[1], 'begun') or 0)
local round = tonumber(ARGV[1])
if completed < round and round <= started then
  redis.call('HSET', KEYS[1], 'told', round)
end
