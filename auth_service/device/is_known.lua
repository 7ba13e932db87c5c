-- Returns 1 when the device is known, else 0.
-- KEYS: the sorted set of the identifier
-- ARGV: now (ms), device id
return is_known(KEYS[1], ARGV[2], tonumber(ARGV[1])) and 1 or 0
