-- Writes a conversation as Rasa's class does, in place of this format. Gives {'none'}, {'rasa', what Rasa's class
-- wrote beside} or {'given'}. Answers and reminders go: Rasa's format has no place for them.
local head, events, answers, expiries, reminders, tracker = unpack(KEYS)
local sender, name = ARGV[1], ARGV[2]

redis.replicate_commands()
if redis.call('EXISTS', head) == 0 then
    return {'none'}
end
local rasa = redis.call('GET', tracker)
if rasa then
    return {'rasa', rasa}
end
local remaining = redis.call('PTTL', head)
redis.call('SET', tracker, '{"events": [' .. table.concat(redis.call('LRANGE', events, 0, -1), ', ') .. '], "name": ' .. name .. '}')
if remaining > 0 then
    redis.call('PEXPIRE', tracker, remaining)
end
redis.call('DEL', head, events, answers, expiries)
redis.call('ZREM', reminders, sender)
return {'given'}
