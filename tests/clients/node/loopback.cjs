// Loaded with `node --require`: a server that asks for a port on every interface gets loopback only.
// The hook is where `listen` ends up, because what calls `address()` right after it must find one.
const net = require('node:net');
const listen = net.Server.prototype._listen2;
net.Server.prototype._listen2 = function (address, port, family, ...rest) {
  const everywhere = !address || address === '::' || address === '0.0.0.0';
  return everywhere && port >= 0
    ? listen.call(this, '127.0.0.1', port, 4, ...rest)
    : listen.call(this, address, port, family, ...rest);
};
