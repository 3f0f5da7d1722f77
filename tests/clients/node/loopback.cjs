// Loaded with `node --require`: a server that asks for a port on every interface gets loopback only.
const net = require('node:net');
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  const named = rest.some((each) => typeof each === 'string');
  const onPort = /^\d+$/.test(String(port));
  return listen.apply(this, onPort && !named ? [Number(port), '127.0.0.1', ...rest] : [port, ...rest]);
};
