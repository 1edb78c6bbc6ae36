-- Reads a conversation. Gives {'none'}, {'rasa', what Rasa's class wrote}, or
-- {'stored', version, epoch, length, session, reminders, start, {event, ...}}.
local head, events, tracker = KEYS[1], KEYS[2], KEYS[6]
local whole, known_epoch, known_length, passes_rasa = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]

local rasa = passes_rasa == '0' and redis.call('GET', tracker)
if rasa then
    return {'rasa', rasa}
end
local version, epoch, session, reminders = unpack(redis.call('HMGET', head, 'version', 'epoch', 'session', 'reminders'))
if not version then
    return {'none'}
end
local length, start = redis.call('LLEN', events), tonumber(session)
if whole == '1' then
    start = 0
elseif epoch == known_epoch and start <= known_length and known_length <= length then
    start = known_length
end
return {'stored', version, epoch, length, tonumber(session), reminders or '', start, redis.call('LRANGE', events, start, -1)}
