-- Gives the answer that is kept for a message and not over age, or nothing.
local answers, expiries, message = KEYS[3], KEYS[4], ARGV[2]

local time = redis.call('TIME')
local expires = redis.call('ZSCORE', expiries, message)
if expires and tonumber(expires) > time[1] * 1000 + time[2] / 1000 then
    return redis.call('HGET', answers, message)
end
return false
