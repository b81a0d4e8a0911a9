// Client assertions (RFC 7523 §3, OpenID Connect Core §9) and their faults.
import { createHmac, randomUUID, sign } from 'node:crypto'
import { answerOutcome } from './outcome.mjs'

const b64 = (v) => Buffer.from(typeof v === 'string' ? v : JSON.stringify(v)).toString('base64url')
const now = () => Math.floor(Date.now() / 1000)
const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

// assertion makes one of a client with changes of its header and claims; undefined
// leaves a member out.
export function assertion(side, client, { header = {}, claims = {}, key, seal } = {}) {
  const own = side.clients[client]
  const head = { alg: 'ES384', typ: 'JWT', kid: own.key.kid, ...header }
  const told = typeof claims === 'function' ? claims(side) : claims
  const body = { iss: own.client_id, sub: own.client_id, aud: side.metadata.token_endpoint, exp: now() + 60, iat: now(), jti: randomUUID(), ...told }
  const text = `${b64(head)}.${b64(body)}`
  const mark = seal ? seal(text, side) : sign('sha384', Buffer.from(text), { key: key ?? own.key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
  return `${text}.${mark}`
}

// send asks for a token of a backend service with an assertion.
function send(side, text, changes = {}) {
  return side.post('token', { grant_type: 'client_credentials', scope: 'system/*.rs', client_assertion_type: type, client_assertion: text, ...changes })
}

const row = (name, faults, changes) => [`assertion: ${name}`, async (side) => answerOutcome(await send(side, assertion(side, 'bes', faults), typeof changes === 'function' ? changes(side) : changes))]
const raw = (name, make) => [`assertion: ${name}`, async (side) => answerOutcome(await make(side))]

const claims = {
  'iss missing': { iss: undefined }, 'sub missing': { sub: undefined }, 'aud missing': { aud: undefined }, 'exp missing': { exp: undefined }, 'jti missing': { jti: undefined }, 'iat missing': { iat: undefined },
  'iss of somebody else': { iss: 'somebody' }, 'sub of somebody else': { sub: 'somebody' }, 'iss and sub unknown': { iss: 'somebody', sub: 'somebody' },
  'aud of another server': { aud: 'https://other.example/token' }, 'aud empty': { aud: '' }, 'aud a number': { aud: 1 }, 'aud an empty list': { aud: [] },
  'exp over': { exp: now() - 3600 }, 'exp an hour ahead': { exp: now() + 3600 }, 'exp in a year': { exp: now() + 31536000 }, 'exp a text': { exp: String(now() + 60) }, 'exp zero': { exp: 0 }, 'exp negative': { exp: -1 },
  'exp null': { exp: null }, 'exp with a fraction': { exp: now() + 240.5 }, 'iat ahead': { iat: now() + 3600 }, 'iat an hour ago': { iat: now() - 3600 }, 'iat a text': { iat: 'now' }, 'nbf ahead': { nbf: now() + 3600 },
  'nbf past': { nbf: now() - 10 }, 'nbf a text': { nbf: 'now' }, 'jti empty': { jti: '' }, 'jti a number': { jti: 5 }, 'jti of 300 characters': { jti: 'j'.repeat(300) }, 'iss a number': { iss: 5 }, 'sub a number': { sub: 5 },
  'sub a list': { sub: ['x'] }, 'another claim': { extra: { a: 1 } },
}
const audiences = {
  'aud the issuer': (s) => ({ aud: s.issuer }), 'aud a list of one': (s) => ({ aud: [s.metadata.token_endpoint] }), 'aud a list of ours and another': (s) => ({ aud: [s.metadata.token_endpoint, 'https://other.example'] }),
  'aud the token endpoint with a slash': (s) => ({ aud: `${s.metadata.token_endpoint}/` }), 'aud the revocation endpoint': (s) => ({ aud: s.metadata.revocation_endpoint }),
  'aud the issuer in capitals': (s) => ({ aud: s.issuer.toUpperCase() }), 'aud the issuer with a slash': (s) => ({ aud: `${s.issuer}/` }),
}
const headers = {
  'alg none': { alg: 'none' }, 'alg missing': { alg: undefined }, 'alg of another curve': { alg: 'ES256' }, 'alg RS384 with a key of a curve': { alg: 'RS384' }, 'alg unknown': { alg: 'XX1' }, 'alg in another case': { alg: 'es384' },
  'kid missing': { kid: undefined }, 'kid unknown': { kid: 'x' }, 'kid a path': { kid: '../../../dev/null' }, 'typ missing': { typ: undefined }, 'typ client-authentication+jwt': { typ: 'client-authentication+jwt' },
  'typ at+jwt': { typ: 'at+jwt' }, 'typ jwt': { typ: 'jwt' }, 'crit unknown': { crit: ['x'], x: 1 }, 'crit empty': { crit: [] }, 'jku of somebody': { jku: 'https://evil.test/jwks' }, 'x5u of somebody': { x5u: 'https://evil.test/x' },
  'b64 false': { b64: false, crit: ['b64'] }, 'another member': { extra: 1 },
}

const forms = {
  'type missing': { client_assertion_type: undefined }, 'type wrong': { client_assertion_type: 'urn:x' }, 'type of SAML': { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' },
  'assertion missing': { client_assertion: undefined }, 'assertion empty': { client_assertion: '' }, 'assertion no JWT': { client_assertion: 'x' }, 'assertion of two parts': { client_assertion: 'a.b' },
  'assertion of five parts': { client_assertion: 'a.b.c.d.e' }, 'assertion of dots': { client_assertion: '..' }, 'type twice': { client_assertion_type: [type, type] }, 'a secret beside it': { client_secret: 'x' },
  'client_id of somebody else': (s) => ({ client_id: s.clients.web.client_id }), 'client_id of its own': (s) => ({ client_id: s.clients.bes.client_id }), 'client_id unknown': { client_id: 'nobody' },
}

const signed = (text, side) => sign('sha384', Buffer.from(text), { key: side.clients.bes.key.privateKey, dsaEncoding: 'ieee-p1363' })

// plain is a signature in base64 with both characters that base64url does not have.
function plain(text, side) {
  for (;;) {
    const made = signed(text, side).toString('base64')
    if (made.includes('+') && made.includes('/')) return made
  }
}

const seals = {
  'signature empty': () => '', 'signature of zeros': () => b64('\0'.repeat(96)), 'signature in ASN.1': (t, s) => sign('sha384', Buffer.from(t), s.clients.bes.key.privateKey).toString('base64url'),
  'signature over something else': (_, s) => signed('x', s).toString('base64url'), 'signature in plain base64': plain,
  'signature with padding': (t, s) => `${signed(t, s).toString('base64url')}=`,
}

export const assertions = [
  row('good'),
  ...Object.entries(claims).map(([name, c]) => row(name, { claims: c })),
  ...Object.entries(audiences).map(([name, c]) => row(name, { claims: c })),
  ...Object.entries(headers).map(([name, header]) => row(name, { header })),
  ...Object.entries(seals).map(([name, seal]) => row(name, { seal })),
  ...Object.entries(forms).map(([name, c]) => row(name, {}, c)),
  raw('of a stranger\'s key', (s) => send(s, assertion(s, 'bes', { key: s.clients.jwt.key.privateKey }))),
  raw('HS256 with the public key', (s) => send(s, assertion(s, 'bes', { header: { alg: 'HS256' }, seal: (t) => createHmac('sha256', JSON.stringify(s.clients.bes.key.public)).update(t).digest('base64url') }))),
  raw('none and no signature', (s) => send(s, assertion(s, 'bes', { header: { alg: 'none' }, seal: () => '' }))),
  raw('used twice', async (s) => { const text = assertion(s, 'bes'); await send(s, text); return send(s, text) }),
  raw('used twice, refused the first time', async (s) => { const text = assertion(s, 'bes'); await send(s, text, { scope: 'foo' }); return send(s, text) }),
  raw('the same jti in two', async (s) => { const jti = s.unique(); await send(s, assertion(s, 'bes', { claims: { jti } })); return send(s, assertion(s, 'bes', { claims: { jti } })) }),
  raw('beside Basic', (s) => s.post('token', { grant_type: 'client_credentials', scope: 'system/*.rs', client_assertion_type: type, client_assertion: assertion(s, 'bes') }, s.basic('web'))),
  raw('of a client with a secret', (s) => send(s, assertion(s, 'bes', { claims: { iss: s.clients.web.client_id, sub: s.clients.web.client_id } }))),
  raw('with 10 kB of claims', (s) => send(s, assertion(s, 'bes', { claims: { big: 'x'.repeat(10_000) } }))),
  raw('of a client of people, for a code', async (s) => s.post('token', { ...s.exchange(await s.code('jwt')), client_assertion_type: type, client_assertion: assertion(s, 'jwt') })),
  raw('of a client of people, for client_credentials', (s) => send(s, assertion(s, 'jwt'), { scope: 'openid' })),
  raw('of another client, for a code', async (s) => s.post('token', { ...s.exchange(await s.code('web')), client_assertion_type: type, client_assertion: assertion(s, 'jwt') })),
  raw('good, at introspection', async (s) => s.post('introspection', { token: 'x', client_assertion_type: type, client_assertion: assertion(s, 'jwt') })),
  raw('good, at revocation', async (s) => s.post('revocation', { token: 'x', client_assertion_type: type, client_assertion: assertion(s, 'jwt') })),
  raw('no assertion at all', (s) => s.post('token', { grant_type: 'client_credentials', scope: 'system/*.rs', client_id: s.clients.bes.client_id })),
  ...['', 'system/Patient.rs', 'foo', 'openid', 'system/*.rs foo', 'patient/*.rs'].map((scope) => raw(`client_credentials, scope=${JSON.stringify(scope)}`, (s) => send(s, assertion(s, 'bes'), { scope }))),
]
