// What OpenID Connect and PKCE add to an authorization request.
import { ask } from './authorize.mjs'
import { challenge, verifier } from './side.mjs'

const challenges = {
  'of 42 characters': challenge.slice(1), 'of 44 characters': `${challenge}A`, 'with padding': `${challenge}=`, 'in plain base64': challenge.replace(/^./, '+'),
  'of 128 characters': 'a'.repeat(128), 'with a space': `${challenge.slice(1)} `, 'that is the verifier': verifier, 'of spaces': ' '.repeat(43), 'with a final character that no hash has': `${challenge.slice(0, -1)}B`,
}
const pkce = [
  ...Object.entries(challenges).map(([name, value]) => ask(`code_challenge ${name}`, { code_challenge: value })),
  ...['plain', 's256', 'S512', 'none', ' S256', 'S256 '].map((m) => ask(`code_challenge_method=${JSON.stringify(m)}`, { code_challenge_method: m })),
  ask('no PKCE at all', { code_challenge: undefined, code_challenge_method: undefined }),
  ask('no PKCE at all, a client with a secret', { code_challenge: undefined, code_challenge_method: undefined }, { client: 'web' }),
  ask('code_verifier in place of the challenge', { code_challenge: undefined, code_verifier: verifier }),
]

const prompts = ['none', 'login', 'consent', 'select_account', 'create', 'foo', 'none login', 'login none', 'login consent', 'consent login', 'LOGIN', 'none none', 'login login', ' login', 'login  consent', '']
const prompt = prompts.flatMap((p) => [
  ask(`prompt=${JSON.stringify(p)}`, { prompt: p }),
  ask(`prompt=${JSON.stringify(p)}, signed in`, { prompt: p }, { as: 'prompts', client: 'web' }),
])

const ages = ['0', '1', '10000', '-1', '1.5', 'abc', '1e3', ' 1', '99999999999', '9007199254740993', '0x10', '+5', '00', '']
const age = ages.flatMap((a) => [
  ask(`max_age=${JSON.stringify(a)}`, { max_age: a }),
  ...(['1', '99999999999'].includes(a) ? [] : [ask(`max_age=${JSON.stringify(a)}, signed in, prompt=none`, { max_age: a, prompt: 'none' }, { as: 'ages', client: 'web' })]),
])

const scopes = [
  'openid', 'profile', 'openid profile', 'openid foo', 'foo', 'openid  profile', ' openid', 'openid ', 'openid openid', 'OPENID', 'openid,profile', 'openid\tprofile', 'offline_access',
  'openid offline_access', 'user/*.rs', 'user/*.rs foo', 'openid email', 'system/*.rs', 'openid "quoted"', 'openid \\', 'openid é', 'x'.repeat(500), 'openid ' + 'x'.repeat(500), ' ', 'openid\u0000',
]
const scope = scopes.map((s) => ask(`scope=${JSON.stringify(s.slice(0, 24))}${s.length > 24 ? ` of ${s.length}` : ''}`, { scope: s, nonce: undefined }))

const unsupported = [
  ask('request', { request: 'x' }), ask('request that is a JWT', { request: 'eyJhbGciOiJub25lIn0.e30.' }), ask('request empty', { request: '' }),
  ask('request without a client', { request: 'x', client_id: undefined }),
  ask('request with a wrong redirect_uri', { request: 'x', redirect_uri: 'https://evil.test/cb' }),
  ask('request and response_type missing', { request: 'x', response_type: undefined }),
  ask('request_uri', { request_uri: 'https://evil.test/r' }), ask('request_uri of a push', { request_uri: 'urn:ietf:params:oauth:request_uri:abc' }),
  ask('request_uri with a wrong redirect_uri', { request_uri: 'https://evil.test/r', redirect_uri: 'https://evil.test/cb' }),
  ask('request and request_uri', { request: 'x', request_uri: 'https://evil.test/r' }),
  ask('registration', { registration: '{}' }), ask('registration and a wrong redirect_uri', { registration: '{}', redirect_uri: 'https://evil.test/cb' }),
  ask('claims', { claims: '{"id_token":{"auth_time":{"essential":true}}}' }), ask('claims that are no JSON', { claims: '{' }), ask('claims that are a list', { claims: '[]' }),
  ask('claims that ask for another subject', { claims: '{"id_token":{"sub":{"value":"somebody"}}}' }),
  ask('authorization_details', { authorization_details: '[{"type":"x"}]' }),
  ask('acr_values', { acr_values: 'urn:x 1' }), ask('display', { display: 'popup' }), ask('display unknown', { display: 'hologram' }), ask('ui_locales', { ui_locales: 'es en' }),
  ask('ui_locales malformed', { ui_locales: '../../etc/passwd' }), ask('claims_locales', { claims_locales: 'fr' }), ask('login_hint', { login_hint: 'maria' }), ask('unknown parameters', { foo: 'bar', client_assertion: 'x' }),
  ask('dpop_jkt', { dpop_jkt: 'x' }), ask('iss as a parameter', { iss: 'https://evil.test' }), ask('error as a parameter', { error: 'access_denied' }), ask('code as a parameter', { code: 'x' }),
]

const other = 'eyJhbGciOiJSUzI1NiIsImtpZCI6InJzIn0.eyJzdWIiOiJtYXJpYSIsImlzcyI6Imh0dHBzOi8vZXZpbC50ZXN0In0.c2ln'
const hint = [
  ask('id_token_hint that is no JWT', { id_token_hint: 'x' }), ask('id_token_hint of somebody else', { id_token_hint: other }), ask('id_token_hint empty', { id_token_hint: '' }),
  ask('id_token_hint unsigned', { id_token_hint: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYXJpYSJ9.' }),
  ask('id_token_hint of ours, nobody signed in', async (s) => ({ id_token_hint: (await s.tokens()).id_token }), { client: 'web' }),
  ask('id_token_hint of ours, prompt=none, nobody signed in', async (s) => ({ id_token_hint: (await s.tokens()).id_token, prompt: 'none' }), { client: 'web' }),
  ask('id_token_hint of ours, signed in', async (s) => ({ id_token_hint: (await s.tokens()).id_token, prompt: 'consent' }), { client: 'web', as: 'hints', decision: 'allow' }),
  ask('id_token_hint issued to another client', async (s) => ({ id_token_hint: (await s.tokens()).id_token }), { client: 'pub' }),
  ask('id_token_hint that is an access token', async (s) => ({ id_token_hint: (await s.tokens()).access_token }), { client: 'web' }),
  ask('id_token_hint with another end', async (s) => ({ id_token_hint: (await s.tokens()).id_token.slice(0, -8) + 'AAAAAAAA' }), { client: 'web' }),
]

const audience = [
  ask('resource', (s) => ({ resource: s.audience })), ask('resource of somebody else', { resource: 'https://other.example/r4' }), ask('resource that is no URI', { resource: 'x y' }),
  ask('resource with a fragment', (s) => ({ resource: `${s.audience}#x` })), ask('resource relative', { resource: '/fhir' }),
  ask('resource, to the end', (s) => ({ resource: s.audience, prompt: 'consent' }), { as: 'agrees', decision: 'allow' }),
  ask('aud of another server', { aud: 'https://other.example/r4' }), ask('aud with a slash behind', (s) => ({ aud: `${s.audience}/` })),
]

export const provider = [...pkce, ...prompt, ...age, ...scope, ...unsupported, ...hint, ...audience]
