-- Stores a challenge and its delivery, or counts nothing and says which limit refuses.
-- KEYS: challenge, newest pointer, delivery stream, known client, ticket, the range of numbers' codes
--       sent, codes proven, until when it is blocked, then one list per scope
-- ARGV: now (ms), expires_at (ms), handle digest, code mac, destination digest, delivery id,
--       sealed delivery or '' for none, sealed context,
--       scopes as JSON {{whom it refuses, {{count, window_ms}, ...}, whether it counts}, ...},
--       held (0/1),
--       ticket digest or '', whom a blocked range refuses or '' when none is watched
-- A scope that refuses quietly is passed over when it is full, and delivers nothing to the others.
-- Returns {index of the refusing scope, wait ms}, the range's after all others; else
-- {0, delivered, range blocked}
local now, expires_at = tonumber(ARGV[1]), tonumber(ARGV[2])
local scopes = cjson.decode(ARGV[9])
local standing = redis.call('MGET', KEYS[4], KEYS[8])
local known, blocked_until = standing[1] ~= false, tonumber(standing[2] or 0)
local held = ARGV[10] == '1'
local watcher = ARGV[12]
local delivered, quiet = ARGV[7] ~= '', false
local passed_over = {}
local exempt = {
  everybody = false,
  strangers = known,
  newcomers = known or held,
  strangers_quietly = known,
  newcomers_quietly = known or held,
}
for i, scope in ipairs(scopes) do
  local whom = scope[1]
  local quietly = whom == 'strangers_quietly' or whom == 'newcomers_quietly'
  local full = (quietly or not exempt[whom]) and wait_of(KEYS[8 + i], scope[2], now) or 0
  if full > 0 and not quietly then
    return {i, full}
  elseif full > 0 then
    passed_over[i] = true -- for the exempt too: what others are then let through would tell
    delivered, quiet = delivered and exempt[whom], quiet or not exempt[whom]
  end
end
local blocked = watcher ~= '' and blocked_until > now
if blocked and not exempt[watcher] then
  if watcher == 'newcomers' then
    return {#scopes + 1, blocked_until - now}
  end
  delivered, quiet = false, true
end
for i, scope in ipairs(scopes) do
  if scope[3] and not passed_over[i] then
    count_event(KEYS[8 + i], scope[2], now)
  end
end
local tripped = false
if watcher ~= '' and not quiet then
  tripped = note_sent(KEYS[6], KEYS[7], KEYS[8], now, blocked)
end
redis.call('HSET', KEYS[1], 'mac', ARGV[4], 'destination', ARGV[5], 'expires_at', expires_at,
  'context', ARGV[8], 'ticket', ARGV[11],
  'wrong_handle', 0, 'wrong_newest', 0)
redis.call('PEXPIREAT', KEYS[1], expires_at)
redis.call('SET', KEYS[2], ARGV[3], 'PXAT', expires_at)
if ARGV[11] ~= '' then
  redis.call('SET', KEYS[5], ARGV[3], 'PXAT', expires_at)
end
if delivered then
  redis.call('XADD', KEYS[3], '*', 'id', ARGV[6], 'not_after', expires_at, 'sealed', ARGV[7])
end
return {0, delivered and 1 or 0, tripped and 1 or 0}
