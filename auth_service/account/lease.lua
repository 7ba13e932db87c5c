-- Extends a lease, or ends it, while it is still the holder's; returns whether it was.
-- KEYS: lease   ARGV: holder, life (ms, 0: end it)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  return redis.call('DEL', KEYS[1])
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
