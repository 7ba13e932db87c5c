-- Stores that a device has just signed in; returns 1 when the account knew it before, else 0.
-- KEYS: the user's devices, then those of each of its identifiers
-- ARGV: now (ms), device id
local now, device = tonumber(ARGV[1]), ARGV[2]
local known = is_known(KEYS[1], device, now)
for _, key in ipairs(KEYS) do
  remember(key, device, now)
end
return known and 1 or 0
