-- Records that a provider is about to be asked.
-- KEYS: stream, attempts of the delivery
-- ARGV: the attempt as JSON: group, consumer, stream_id, provider, forget_at (ms)
-- Returns 'go', 'lost' (another consumer has the entry), or the result of an earlier attempt:
-- 'unknown' (asked, never answered) or 'refused'
local attempt = cjson.decode(ARGV[1])
local stream_id, provider = attempt.stream_id, attempt.provider
local claim = redis.call('XPENDING', KEYS[1], attempt.group, stream_id, stream_id, 1)
if not claim[1] or claim[1][2] ~= attempt.consumer then
  return 'lost'
end
local before = redis.call('HGET', KEYS[2], provider)
if before == 'asked' then
  return 'unknown'
end
if before == 'refused' then
  return 'refused'
end
redis.call('HSET', KEYS[2], provider, 'asked')
redis.call('PEXPIREAT', KEYS[2], attempt.forget_at)
return 'go'
