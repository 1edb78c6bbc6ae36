-- Adds to a conversation where the stored version is the believed one. Gives {'rasa', what Rasa's class wrote},
-- {'conflict', why} or {'kept', version, epoch, length, session}.
local head, events, answers, expiries, reminders, tracker = unpack(KEYS)
local sender, believed, version, epoch, replaces, session, record_milliseconds = unpack(ARGV, 1, 7)
-- An answer is there if answer_milliseconds is.
local pending, earliest, message, body, answer_milliseconds = unpack(ARGV, 8, 12)
local FIRST_EVENT = 13
-- Lua's unpack and Redis's RPUSH take some thousand values at once.
local CHUNK = 1000

-- Redis 6 would log this script, with what TIME gave then, instead of what it did.
redis.replicate_commands()
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Whatever is of another type or out of reach shows before the first change: a script that fails is not undone.
local rasa = redis.call('GET', tracker)
if rasa then
    return {'rasa', rasa}
end
local stored_version, stored_epoch, stored_session =
    unpack(redis.call('HMGET', head, 'version', 'epoch', 'session'))
local length = redis.call('LLEN', events)
local answer_until = redis.call('ZSCORE', expiries, message)
redis.call('HEXISTS', answers, message)
redis.call('ZSCORE', reminders, sender)

if stored_version == version then
    return {'kept', version, stored_epoch, length, tonumber(stored_session)}
elseif (stored_version or '') ~= believed then
    return {'conflict', 'head'}
elseif answer_milliseconds ~= '' and answer_until and tonumber(answer_until) > now then
    return {'conflict', 'answer'}
end

if replaces == '1' or not stored_version then
    stored_epoch, stored_session, length, replaces = epoch, 0, 0, '1'
end
session = session == '' and tonumber(stored_session) or length + tonumber(session)

-- First, as it may grow: a full server refuses only a script that has changed nothing yet.
redis.call('HSET', head, 'version', version, 'epoch', stored_epoch, 'session', session)
if replaces == '1' then
    redis.call('DEL', events)
end
for first = FIRST_EVENT, #ARGV, CHUNK do
    redis.call('RPUSH', events, unpack(ARGV, first, math.min(first + CHUNK - 1, #ARGV)))
end
if pending ~= '' then
    redis.call('HSET', head, 'reminders', pending)
    if earliest == '' then
        redis.call('ZREM', reminders, sender)
    else
        redis.call('ZADD', reminders, earliest, sender)
    end
end
if answer_milliseconds ~= '' then
    for _, old in ipairs(redis.call('ZRANGEBYSCORE', expiries, '-inf', now, 'LIMIT', 0, CHUNK)) do
        redis.call('HDEL', answers, old)
        redis.call('ZREM', expiries, old)
    end
    redis.call('HSET', answers, message, body)
    redis.call('ZADD', expiries, now + answer_milliseconds, message)
end

local expires = record_milliseconds ~= '' and now + record_milliseconds
if expires then
    redis.call('PEXPIREAT', head, expires)
    redis.call('PEXPIREAT', events, expires)
end
local _, last_answer = unpack(redis.call('ZREVRANGE', expiries, 0, 0, 'WITHSCORES'))
if last_answer then
    local answers_expire = math.min(tonumber(last_answer), expires or math.huge)
    redis.call('PEXPIREAT', answers, answers_expire)
    redis.call('PEXPIREAT', expiries, answers_expire)
end
return {'kept', version, stored_epoch, length + #ARGV - FIRST_EVENT + 1, session}
