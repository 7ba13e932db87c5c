-- Stores a challenge and its delivery, or counts nothing and returns the refusal.
-- KEYS: challenge, newest pointer, queued pointer, delivery stream, ticket, code funnel, used
--       proof of work or ''; the number range: codes sent, codes proven, blocked until, sent by
--       the client's network; then one list per scope
-- ARGV: the send as JSON, sealed context, sealed delivery or '' for none
-- The send: now, expires_at (ms); handle, destination (digests); ticket (digest or ''); code_mac;
-- decoy_mac (one that no code has); invalidation_key (of the destination); delivery_id;
-- scopes {{applies_to, {{count, window_ms}, ...}, whether it counts}, ...}; and what decides to
-- whom they apply: is_known_device, has_verified_owner, range_applies_to, proof_of_work,
-- solution_level, solution_expires_at. is_test: a code of TEST_CODES, which has no delivery
-- A full scope that applies silently raises no error. The message is dropped, and the stored mac
-- matches no code: a code exists only if its message is queued, or if it is one of TEST_CODES.
-- Returns {'limited', index of the refusing scope, wait ms}, the range's index after all others;
-- {'proof', the level of work required}; or {'sent', queued, range blocked}
local send, sealed_delivery = cjson.decode(ARGV[1]), ARGV[3]
local now, expires_at, scopes = send.now, send.expires_at, send.scopes
local FIRST_SCOPE = 12
-- Two replicas' clocks may differ: a used solution is remembered for longer than it is good.
local CLOCK_SLACK = 60000
local queued, dropped = sealed_delivery ~= '' or send.is_test, false
local full_scopes = {}
local exempt = {
  everyone = false,
  unknown_devices = send.is_known_device,
  new_contacts = send.is_known_device or send.has_verified_owner,
  unknown_devices_silently = send.is_known_device,
  new_contacts_silently = send.is_known_device or send.has_verified_owner,
}
for i, scope in ipairs(scopes) do
  local applies_to = scope[1]
  local silently = applies_to == 'unknown_devices_silently' or applies_to == 'new_contacts_silently'
  local key = KEYS[FIRST_SCOPE + i - 1]
  local full = (silently or not exempt[applies_to]) and wait_of(key, scope[2], now) or 0
  if full > 0 and not silently then
    return {'limited', i, full}
  elseif full > 0 then
    full_scopes[i] = true -- for exempt senders too: an uneven count would reveal them
    queued, dropped = queued and exempt[applies_to], dropped or not exempt[applies_to]
  end
end

local blocked_until = tonumber(redis.call('GET', KEYS[10]) or 0)
local blocked = send.range_applies_to ~= '' and blocked_until > now
local needs_work = send.proof_of_work == 'always'
if blocked and not needs_work then
  if send.proof_of_work == 'blocked' then
    -- Where ownership of a number must not show, every unknown device has to do work.
    needs_work = send.range_applies_to == 'new_contacts_silently' and not send.is_known_device
      or not exempt[send.range_applies_to]
  elseif not exempt[send.range_applies_to] then
    if send.range_applies_to == 'new_contacts' then
      return {'limited', #scopes + 1, blocked_until - now}
    end
    queued, dropped = false, true
  end
end
if needs_work then
  local level = blocked and work_level(KEYS[8], KEYS[9], now) or 0
  -- One level less is accepted: the level may have risen since the challenge was fetched.
  if KEYS[7] == '' or send.solution_level < level - 1
    or not redis.call('SET', KEYS[7], 1, 'NX', 'PXAT', send.solution_expires_at + CLOCK_SLACK) then
    return {'proof', level}
  end
end

for i, scope in ipairs(scopes) do
  if scope[3] and not full_scopes[i] then
    count_event(KEYS[FIRST_SCOPE + i - 1], scope[2], now)
  end
end
local is_watched, newly_blocked = false, false
-- While a silent limit is full, the breaker counts nothing, not even for exempt senders: its state
-- would reveal them.
if send.range_applies_to ~= '' and not dropped and next(full_scopes) == nil and wait_of(KEYS[11], PER_NETWORK, now) == 0 then
  count_event(KEYS[11], PER_NETWORK, now)
  is_watched, newly_blocked = true, count_sent(KEYS[8], KEYS[9], KEYS[10], now, blocked)
end
redis.call('HSET', KEYS[1], 'mac', queued and send.code_mac or send.decoy_mac,
  'destination', send.destination, 'asked_at', now, 'expires_at', expires_at,
  'void', send.invalidation_key, 'context', ARGV[2],
  'ticket', queued and send.ticket or '', 'noted', is_watched and KEYS[9] or '',
  'wrong_handle', 0, 'wrong_newest', 0)
redis.call('PEXPIREAT', KEYS[1], expires_at)
redis.call('SET', KEYS[2], send.handle, 'PXAT', expires_at)
if queued then
  redis.call('SET', KEYS[3], send.handle, 'PXAT', expires_at)
  if send.ticket ~= '' then
    redis.call('SET', KEYS[5], send.handle, 'PXAT', expires_at)
  end
  if not send.is_test then
    redis.call('XADD', KEYS[4], '*', 'id', send.delivery_id, 'not_after', expires_at,
      'sealed', sealed_delivery)
  end
  count_code(KEYS[6], 'sent', 1)
end
return {'sent', queued and 1 or 0, newly_blocked and 1 or 0}
