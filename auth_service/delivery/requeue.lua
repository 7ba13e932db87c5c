-- Moves a dead letter back into the queue, once.
-- KEYS: stream, dead letters   ARGV: the letter, then the entry's fields and values
if redis.call('LREM', KEYS[2], 1, ARGV[1]) == 0 then
  return 0
end
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
return 1
