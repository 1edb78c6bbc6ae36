-- Adds what Rasa's class wrote to the conversation and removes Rasa's key, where neither has changed since they were
-- read. Gives 1 if so.
local head, events, tracker = KEYS[1], KEYS[2], KEYS[6]
local digest, believed, version, epoch, session, record_milliseconds = unpack(ARGV, 2, 7)
local FIRST_EVENT, CHUNK = 8, 1000

redis.replicate_commands()
local rasa = redis.call('GET', tracker)
local length = redis.call('LLEN', events)
if not rasa or redis.sha1hex(rasa) ~= digest or (redis.call('HGET', head, 'version') or '') ~= believed then
    return 0
end
-- Rasa's own expiry, if it set one, counts from its last write.
local remaining = redis.call('PTTL', tracker)
if remaining < 0 then
    remaining = tonumber(record_milliseconds) or 0
end
redis.call('HSET', head, 'version', version, 'epoch', epoch, 'session', session)
for first = FIRST_EVENT, #ARGV, CHUNK do
    redis.call('RPUSH', events, unpack(ARGV, first, math.min(first + CHUNK - 1, #ARGV)))
end
redis.call('DEL', tracker)
if remaining > 0 then
    redis.call('PEXPIRE', head, remaining)
    redis.call('PEXPIRE', events, remaining)
end
return 1
