// A SAML identity provider on loopback: samlp, with a form that asks for name and password.
// PORT, ACS, KEY and CERT (paths), SIGN (assertion or both) come from the environment.
const express = require('express');
const fs = require('node:fs');
const path = require('node:path');
const samlp = require('samlp');

const { PORT, ACS, KEY, CERT, SIGN } = process.env;
const users = JSON.parse(fs.readFileSync(path.join(__dirname, 'idp_users.json')));

function Mapper(user) {
  if (!(this instanceof Mapper)) return new Mapper(user);
  this.user = user;
}
Mapper.prototype.getClaims = function claims() {
  return { email: this.user.email, displayName: this.user.name, groups: this.user.groups, uid: this.user.sub };
};
Mapper.prototype.getNameIdentifier = function name() {
  return {
    nameIdentifier: this.user.email,
    nameIdentifierFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  };
};
Mapper.prototype.metadata = [];

const options = {
  issuer: `http://127.0.0.1:${PORT}/metadata`,
  cert: fs.readFileSync(CERT),
  key: fs.readFileSync(KEY),
  destination: ACS,
  recipient: ACS,
  getPostURL: (audience, dom, request, done) => done(null, ACS),
  getUserFromRequest: (request) => request.user,
  profileMapper: Mapper,
  signResponse: SIGN === 'both',
  signAssertion: true,
  signatureAlgorithm: 'rsa-sha256',
  digestAlgorithm: 'sha256',
  lifetimeInSeconds: 300,
  redirectEndpointPath: '/sso',
  postEndpointPath: '/sso',
};

const app = express();
app.use(express.urlencoded({ extended: false, limit: '64kb' }));
app.get('/metadata', samlp.metadata(options));
app.get('/sso', (request, response) => {
  const action = `/sso?${new URLSearchParams(request.query)}`.replaceAll('&', '&amp;');
  response.type('html').send(`<form method="post" action="${action}"><input name="login"><input name="password"></form>`);
});
app.post('/sso', (request, response, next) => {
  const user = users[request.body.login];
  if (!user || user.password !== request.body.password) {
    response.status(401).send('wrong');
    return;
  }
  request.user = user;
  request.method = 'GET';
  samlp.auth({ ...options, sessionIndex: '_session-1' })(request, response, next);
});
app.listen(Number(PORT), '127.0.0.1');
