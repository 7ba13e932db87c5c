-- Says that somebody has something left to tell, still or again.
-- KEYS: head
-- ARGV: the round that had begun when it was said first ('' for the newest now)
-- Returns that round: any that begins later tells it.
local head = KEYS[1]
local begun = tonumber(redis.call('HGET', head, 'begun') or 0)
local since = math.min(tonumber(ARGV[1]) or begun, begun)
local others = tonumber(redis.call('HGET', head, 'behind') or -1)
redis.call('HSET', head, 'behind', math.max(since, others))
redis.call('HINCRBY', head, 'said', 1)
return since
