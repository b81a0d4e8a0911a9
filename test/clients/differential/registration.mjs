// Dynamic registration (RFC 7591, OpenID Connect Registration): metadata good and bad.
import { keys } from './clients.mjs'
import { answerOutcome } from './outcome.mjs'

const good = { redirect_uris: ['https://app.example.org/cb'], token_endpoint_auth_method: 'none', grant_types: ['authorization_code'], response_types: ['code'], client_name: 'App', scope: 'openid' }
const post = (side, body, type = 'application/json', token = side.initialAccessToken) => fetch(side.metadata.registration_endpoint, {
  method: 'POST', headers: { 'content-type': type, ...(token ? { authorization: `Bearer ${token}` } : {}) }, body, redirect: 'manual',
})
const raw = (name, send) => [`registration: ${name}`, async (side) => answerOutcome(await send(side))]
const row = (name, changes) => raw(name, (s) => post(s, JSON.stringify({ ...good, ...changes })))

const uris = [
  'http://app.example.org/cb', 'https://app.example.org/cb#x', 'https://app.example.org/cb#', 'javascript:alert(1)', 'data:text/html,x', '/cb', 'app.example.org/cb', '', 'https://*.example.org/cb', 'https://user@app.example.org/cb',
  'https://app.example.org/a b', 'urn:ietf:wg:oauth:2.0:oob', 'https://', 'ftp://app.example.org/cb', 'https://app.example.org/cb?x=1',
]

export const registrations = [
  row('good', {}), row('with a secret', { token_endpoint_auth_method: 'client_secret_basic' }), row('with keys', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [keys.jwt.public] } }),
  ...uris.map((uri) => row(`redirect_uris ${JSON.stringify(uri)}`, { redirect_uris: [uri] })),
  row('redirect_uris missing', { redirect_uris: undefined }), row('redirect_uris empty', { redirect_uris: [] }), row('redirect_uris a text', { redirect_uris: 'https://app.example.org/cb' }), row('redirect_uris of numbers', { redirect_uris: [1] }),
  row('a good and a bad redirect_uri', { redirect_uris: ['https://app.example.org/cb', 'javascript:alert(1)'] }),
  row('auth method unknown', { token_endpoint_auth_method: 'foo' }), row('auth method a number', { token_endpoint_auth_method: 1 }), row('grant type unknown', { grant_types: ['password'] }), row('response type token', { response_types: ['token'] }),
  row('response type and no grant type for it', { grant_types: ['refresh_token'] }), row('keys and jwks_uri', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [keys.jwt.public] }, jwks_uri: 'https://app.example.org/jwks' }),
  row('private_key_jwt without keys', { token_endpoint_auth_method: 'private_key_jwt' }), row('a private key', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [keys.jwt.privateKey.export({ format: 'jwk' })] } }),
  row('jwks that is a text', { token_endpoint_auth_method: 'private_key_jwt', jwks: 'x' }), row('ID token algorithm none', { id_token_signed_response_alg: 'none' }), row('ID token algorithm unknown', { id_token_signed_response_alg: 'XX' }),
  row('client_uri javascript:', { client_uri: 'javascript:alert(1)' }), row('logo_uri javascript:', { logo_uri: 'javascript:alert(1)' }), row('client_name a number', { client_name: 5 }), row('contacts a text', { contacts: 'x' }),
  row('scope unknown', { scope: 'openid foo' }), row('scope a list', { scope: ['openid'] }), row('an unknown member', { foo: 'bar' }), row('client_id of its own', { client_id: 'mine' }), row('client_secret of its own', { token_endpoint_auth_method: 'client_secret_basic', client_secret: 'mine' }),
  row('post_logout_redirect_uris javascript:', { post_logout_redirect_uris: ['javascript:alert(1)'] }),
  raw('no JSON', (s) => post(s, '{')), raw('empty', (s) => post(s, '')), raw('a list', (s) => post(s, '[]')), raw('null', (s) => post(s, 'null')), raw('a text', (s) => post(s, '"x"')), raw('as a form', (s) => post(s, 'redirect_uris=x', 'application/x-www-form-urlencoded')),
  raw('as text', (s) => post(s, JSON.stringify(good), 'text/plain')), raw('with a character set', (s) => post(s, JSON.stringify(good), 'application/json; charset=utf-8')), raw('a member twice', (s) => post(s, `{"client_name":"a","client_name":"b",${JSON.stringify(good).slice(1)}`)),
  raw('without a token', (s) => post(s, JSON.stringify(good), undefined, '')), raw('with a token that nobody has', (s) => post(s, JSON.stringify(good), undefined, 'it_x')),
  raw('by GET', (s) => fetch(s.metadata.registration_endpoint)), raw('by PUT', (s) => fetch(s.metadata.registration_endpoint, { method: 'PUT', body: '{}', headers: { 'content-type': 'application/json' } })),
]
