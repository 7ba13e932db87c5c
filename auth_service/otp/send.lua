-- Stores a challenge and its delivery, or counts nothing and says what refuses.
-- KEYS: challenge, newest pointer, queued pointer, delivery stream, ticket, code funnel, proof
--       of work that came with it or ''; the range of numbers: codes sent, codes proven, until when
--       it is blocked, sent by the client's network; then one list per scope
-- ARGV: now (ms), expires_at (ms), handle digest, code mac, a mac that no code has, destination
--       digest, its void key, sealed context, ticket digest or '', delivery id, sealed delivery or
--       '' for none,
--       scopes as JSON {{whom it refuses, {{count, window_ms}, ...}, whether it counts}, ...},
--       {known, held, watcher, proof, solution_level, solution_expires_at} as JSON
-- A scope that refuses quietly is passed over when it is full. It then delivers nothing to the
-- others, and what is stored for them matches no code: a code exists only if its message is queued.
-- Returns {'limited', index of the refusing scope, wait ms}, the range's index after all others;
-- {'proof', how hard work is by now}; or {'sent', queued, range blocked}
local now, expires_at = tonumber(ARGV[1]), tonumber(ARGV[2])
local scopes, asked = cjson.decode(ARGV[12]), cjson.decode(ARGV[13])
local FIRST_SCOPE = 12
-- Two replicas' clocks may differ: a used solution is remembered for longer than it is good.
local CLOCK_SLACK = 60000
local queued, dropped = ARGV[11] ~= '', false
local passed_over = {}
local exempt = {
  everybody = false,
  strangers = asked.known,
  newcomers = asked.known or asked.held,
  strangers_quietly = asked.known,
  newcomers_quietly = asked.known or asked.held,
}
for i, scope in ipairs(scopes) do
  local whom = scope[1]
  local quietly = whom == 'strangers_quietly' or whom == 'newcomers_quietly'
  local key = KEYS[FIRST_SCOPE + i - 1]
  local full = (quietly or not exempt[whom]) and wait_of(key, scope[2], now) or 0
  if full > 0 and not quietly then
    return {'limited', i, full}
  elseif full > 0 then
    passed_over[i] = true -- for the exempt too: what others are then let through would tell
    queued, dropped = queued and exempt[whom], dropped or not exempt[whom]
  end
end

local blocked_until = tonumber(redis.call('GET', KEYS[10]) or 0)
local blocked = asked.watcher ~= '' and blocked_until > now
local wants_work = asked.proof == 'always'
if blocked and not wants_work then
  if asked.proof == 'blocked' then
    -- Where it must not show who holds a number, everybody but a known device is asked.
    wants_work = asked.watcher == 'newcomers_quietly' and not asked.known
      or not exempt[asked.watcher]
  elseif not exempt[asked.watcher] then
    if asked.watcher == 'newcomers' then
      return {'limited', #scopes + 1, blocked_until - now}
    end
    queued, dropped = false, true
  end
end
if wants_work then
  local level = blocked and work_level(KEYS[8], KEYS[9], now) or 0
  -- One level less is taken: the level may have risen since the challenge was fetched.
  if KEYS[7] == '' or asked.solution_level < level - 1
    or not redis.call('SET', KEYS[7], 1, 'NX', 'PXAT', asked.solution_expires_at + CLOCK_SLACK) then
    return {'proof', level}
  end
end

for i, scope in ipairs(scopes) do
  if scope[3] and not passed_over[i] then
    count_event(KEYS[FIRST_SCOPE + i - 1], scope[2], now)
  end
end
local noted, tripped = false, false
-- Where a quiet limit is full, nothing is noted, for those whom it exempts neither: the breaker
-- would show whom it exempts.
if asked.watcher ~= '' and not dropped and next(passed_over) == nil and wait_of(KEYS[11], PER_NETWORK, now) == 0 then
  count_event(KEYS[11], PER_NETWORK, now)
  noted, tripped = true, note_sent(KEYS[8], KEYS[9], KEYS[10], now, blocked)
end
redis.call('HSET', KEYS[1], 'mac', queued and ARGV[4] or ARGV[5], 'destination', ARGV[6],
  'asked_at', now, 'expires_at', expires_at, 'void', ARGV[7], 'context', ARGV[8],
  'ticket', queued and ARGV[9] or '', 'noted', noted and KEYS[9] or '',
  'wrong_handle', 0, 'wrong_newest', 0)
redis.call('PEXPIREAT', KEYS[1], expires_at)
redis.call('SET', KEYS[2], ARGV[3], 'PXAT', expires_at)
if queued then
  redis.call('SET', KEYS[3], ARGV[3], 'PXAT', expires_at)
  if ARGV[9] ~= '' then
    redis.call('SET', KEYS[5], ARGV[3], 'PXAT', expires_at)
  end
  redis.call('XADD', KEYS[4], '*', 'id', ARGV[10], 'not_after', expires_at, 'sealed', ARGV[11])
  count_code(KEYS[6], 'sent', 1)
end
return {'sent', queued and 1 or 0, tripped and 1 or 0}
