// What successful answers say: claims of ID tokens, granted scopes, types of members.
import { createPublicKey, verify } from 'node:crypto'
import { request } from 'node:http'
import { answerOutcome } from './outcome.mjs'

const part = (token, n) => JSON.parse(Buffer.from(token.split('.')[n], 'base64url').toString())
const words = (object) => Object.keys(object).sort().join(' ')
const row = (name, make) => [`answer: ${name}`, async (side) => String(await make(side))]

// about is a row about the ID token of a fresh grant.
const about = (name, tell, changes = {}, client = 'web') => row(`ID token, ${name}`, async (s) => tell(part((await s.tokens(client, changes)).id_token, 1), s, s.clients[client]))
const refreshed = async (s, changes = {}) => {
  const first = await s.tokens('web', { scope: 'openid offline_access', ...changes })
  return [first, await (await s.post('token', { grant_type: 'refresh_token', refresh_token: first.refresh_token }, s.basic('web'))).json()]
}

// defined are the claims of OpenID Connect Core §2 and RFC 7519; others are extensions.
const defined = ['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'acr', 'amr', 'azp', 'at_hash', 'c_hash', 'sid', 'nbf', 'jti']
const claims = (c) => defined.filter((name) => name in c).sort().join(' ')

const idTokens = [
  about('its claims', claims), about('its claims without a nonce', claims, { nonce: undefined }), about('its claims with max_age', claims, { max_age: '3600' }),
  about('its claims for a public client', claims, {}, 'pub'), about('iss', (c, s) => c.iss === s.issuer), about('aud', (c, _, own) => [c.aud].flat().join() === own.client_id),
  about('nonce as it came', (c) => c.nonce, { nonce: 'a b/+&="<' }), about('types of times', (c) => [typeof c.exp, typeof c.iat, c.exp > c.iat, Number.isInteger(c.exp)].join(' ')),
  about('sub is a text of at most 255', (c) => typeof c.sub === 'string' && c.sub.length <= 255), about('auth_time with max_age is a number', (c) => typeof c.auth_time, { max_age: '3600' }),
  about('auth_time is not after iat', (c) => c.auth_time <= c.iat, { max_age: '3600' }),
  row('ID token, its header', async (s) => words(part((await s.tokens()).id_token, 0))), row('ID token, its algorithm', async (s) => part((await s.tokens()).id_token, 0).alg),
  row('ID token, signed by a published key', async (s) => {
    const [text, keys] = [(await s.tokens()).id_token, (await (await fetch(s.metadata.jwks_uri)).json()).keys]
    const key = createPublicKey({ key: keys.find((k) => k.kid === part(text, 0).kid), format: 'jwk' })
    const cut = text.lastIndexOf('.')
    return verify('sha256', Buffer.from(text.slice(0, cut)), key, Buffer.from(text.slice(cut + 1), 'base64url'))
  }),
  row('ID token after a refresh, its claims', async (s) => claims(part((await refreshed(s))[1].id_token, 1))),
  row('ID token after a refresh, the same sub, iss, aud and auth_time', async (s) => {
    const [a, b] = (await refreshed(s, { max_age: '3600' })).map((t) => part(t.id_token, 1))
    return ['sub', 'iss', 'aud', 'auth_time'].map((k) => `${k} ${String(a[k]) === String(b[k])}`).join(', ')
  }),
  row('UserInfo, the sub of the ID token', async (s) => {
    const t = await s.tokens('web', { scope: 'openid' })
    const info = await (await fetch(s.metadata.userinfo_endpoint, { headers: { authorization: `Bearer ${t.access_token}` } })).json()
    return info.sub === part(t.id_token, 1).sub
  }),
]

const asked = ['openid', 'openid offline_access', 'openid profile', 'profile openid', 'openid openid', 'openid foo', 'openid email', 'openid user/*.rs', 'user/*.rs', 'openid offline_access foo']
const scopes = [
  ...asked.map((scope) => row(`scope granted for ${scope}`, async (s) => ((await s.tokens('web', { scope, nonce: undefined })).scope ?? 'none').split(' ').sort().join(' '))),
  ...asked.map((scope) => row(`tokens given for ${scope}`, async (s) => words(Object.fromEntries(Object.entries(await s.tokens('web', { scope, nonce: undefined })).filter(([k]) => /_token$/.test(k)))))),
  row('scope granted without prompt=consent for openid offline_access', async (s) => (await s.tokens('web', { scope: 'openid offline_access', prompt: undefined })).scope),
  row('scope after a refresh', async (s) => (await refreshed(s))[1].scope.split(' ').sort().join(' ')),
  row('scope after a refresh for less', async (s) => (await (await s.post('token', { grant_type: 'refresh_token', refresh_token: (await s.tokens()).refresh_token, scope: 'openid' }, s.basic('web'))).json()).scope),
  row('a new refresh token after a refresh', async (s) => { const [a, b] = await refreshed(s); return a.refresh_token !== b.refresh_token }),
  row('types of the members', async (s) => { const t = await s.tokens(); return `${typeof t.expires_in} ${t.token_type} ${typeof t.scope}` }),
  row('introspected, client_id, sub, iss and scope are those of the token', async (s) => {
    const t = await s.tokens()
    const told = await (await s.post('introspection', { token: t.access_token }, s.basic('web'))).json()
    return [told.client_id === s.clients.web.client_id, told.sub === part(t.id_token, 1).sub, told.iss === s.issuer, told.scope === t.scope, told.token_type].join(' ')
  }),
]

// raw sends a token request whose headers are a flat list, so that one can be there twice.
function raw(side, headers, params) {
  const body = side.encode(params)
  return new Promise((resolve, reject) => {
    const sent = request(side.metadata.token_endpoint, { method: 'POST', headers: ['Host', new URL(side.issuer).host, 'Content-Length', String(body.length), ...headers] }, (got) => {
      let text = ''
      got.on('data', (d) => { text += d }).on('end', () => resolve(new Response(text || null, { status: got.statusCode, headers: Object.entries(got.headers).map(([k, v]) => [k, String(v)]) })))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
const twice = (name, headers) => [`token: ${name}`, async (s) => answerOutcome(await raw(s, headers(s), s.exchange('x')))]
const type = ['Content-Type', 'application/x-www-form-urlencoded']
const headers = [
  twice('one Authorization header', (s) => [...type, 'Authorization', s.basic('web').authorization]),
  twice('two Authorization headers, the same', (s) => [...type, 'Authorization', s.basic('web').authorization, 'Authorization', s.basic('web').authorization]),
  twice('two Authorization headers, the second another', (s) => [...type, 'Authorization', s.basic('web').authorization, 'Authorization', s.basic('evil').authorization]),
  twice('two media types', (s) => [...type, 'Content-Type', 'application/json', 'Authorization', s.basic('web').authorization]),
  twice('a body said to be compressed', (s) => [...type, 'Content-Encoding', 'gzip', 'Authorization', s.basic('web').authorization]),
]

export const answers = [...idTokens, ...scopes, ...headers]
