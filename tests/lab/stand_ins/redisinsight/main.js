// Runs redis-commander by the settings of RedisInsight.
const { readFileSync } = require('fs');
const { Server } = require('http');

const databases = JSON.parse(readFileSync(process.env.RI_PRE_SETUP_DATABASES_PATH, 'utf8'));
process.env.NODE_CONFIG = JSON.stringify({
  // What protects the data is the account, as with RedisInsight, which has no such mode.
  redis: { readOnly: false },
  noSave: true,
  noLogData: true,
  server: { port: Number(process.env.RI_APP_PORT ?? 5540) },
  connections: databases.map(({ name, host, port, db, username, password }) => (
    { label: name, host, port, dbIndex: db, username, password }
  )),
});

// It does not expect that Redis refuses to delete a key.
process.on('uncaughtException', (error) => console.error(error.message));

const emit = Server.prototype.emit;
Server.prototype.emit = function (event, request, ...others) {
  if (event === 'request' && request.url === '/api/health') {
    request.url = '/healthcheck';
  }
  return emit.call(this, event, request, ...others);
};

require('redis-commander/bin/redis-commander.js');
