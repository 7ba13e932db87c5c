-- Removes an entry from the queue, sent or given up; a given-up one becomes a dead letter.
-- KEYS: stream, attempts of the delivery, dead letters
-- ARGV: group, stream id, dead letter or '', most dead letters
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
if redis.call('XDEL', KEYS[1], ARGV[2]) == 1 and ARGV[3] ~= '' then
  redis.call('LPUSH', KEYS[3], ARGV[3])
  redis.call('LTRIM', KEYS[3], 0, ARGV[4] - 1)
end
redis.call('DEL', KEYS[2])
return 1
