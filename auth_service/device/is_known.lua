-- Returns 1 when the device is known to the name, else 0.
-- KEYS: the name's sorted set
-- ARGV: now (ms), device id
return is_known(KEYS[1], ARGV[2], tonumber(ARGV[1])) and 1 or 0
