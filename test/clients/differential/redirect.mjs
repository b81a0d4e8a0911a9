// Redirect URIs that look like the registered one (attack rows RU, LB and CU), at the
// authorization endpoint and, with a code of the right one, at the token endpoint.
import { ask } from './authorize.mjs'
import { callback } from './clients.mjs'
import { answerOutcome } from './outcome.mjs'

const payloads = {
  'RU-01': 'https://app.example.org/cb.evil.test', 'RU-03': 'https://app.example.org.evil.test/cb', 'RU-04': 'https://evilapp.example.org/cb',
  'RU-06': 'https://x.app.example.org/cb', 'RU-07': 'https://example.org/cb', 'RU-09': 'https://evil.test/?https://app.example.org/cb',
  'RU-10': 'https://evil.test/#https://app.example.org/cb', 'RU-12': 'https://app.example.org:443@evil.test/cb', 'RU-13': 'https://app.example.org@x@evil.test/cb',
  'RU-15': 'https://@app.example.org/cb', 'RU-16': 'https://app.example.org%40evil.test/cb', 'RU-18': 'https://evil.test\\.app.example.org/cb',
  'RU-19': 'https:\\\\app.example.org/cb', 'RU-21': 'https://app.example.org/cb%5c..%5cevil', 'RU-22': 'https:///app.example.org/cb',
  'RU-24': 'https:app.example.org/cb', 'RU-25': '//app.example.org/cb', 'RU-27': 'https://app.example.org/x/../cb', 'RU-28': 'https://app.example.org/cb/../steal',
  'RU-30': 'https://app.example.org/cb/%252e%252e/steal', 'RU-31': 'https://app.example.org/cb/..;/steal', 'RU-33': 'https://app.example.org/cb/',
  'RU-34': 'https://app.example.org//cb', 'RU-36': 'https://app.example.org%2fcb', 'RU-37': 'https://app.example.org/%63b', 'RU-39': 'https://APP.example.org/cb',
  'RU-40': 'HTTPS://app.example.org/cb', 'RU-42': 'https://app.example.org:443/cb', 'RU-43': 'https://app.example.org:/cb', 'RU-45': 'https://app.example.org:443.evil.test/cb',
  'RU-46': 'https://app.example.org:0443/cb', 'RU-48': 'https://app.example.org/cb?x=1', 'RU-49': 'https://app.example.org/cb?', 'RU-51': 'https://app.example.org/cb?state=x&iss=y',
  'RU-52': 'https://app.example.org/cb%3fcode=x', 'RU-54': 'https://app.example.org/cb#', 'RU-55': 'https://evil.test#@app.example.org/cb',
  'RU-57': 'https://evil.test?.app.example.org/cb', 'RU-58': ' https://app.example.org/cb', 'RU-60': 'https://app.example.org/\tcb', 'RU-61': 'https://app.exa\tmple.org/cb',
  'RU-63': 'https://app.example.org/cb%0d%0aSet-Cookie:x=1', 'RU-64': 'https://app.example.org/cb\r\nX: y', 'RU-66': 'https://app.example.org/cb%00',
  'RU-67': 'https://app.example.org%00.evil.test/cb', 'RU-69': 'https://app.example.org\u3002evil.test/cb', 'RU-70': 'https://evil.test\uff0f.app.example.org/cb',
  'RU-72': 'https://evil.test\u2100.app.example.org/cb', 'RU-73': 'https://app.example.org/cb\u212a', 'RU-75': 'https://xn--app-.example.org/cb',
  'RU-76': 'https://app.exam\u00adple.org/cb', 'RU-78': 'https://app.example.org/\u202ebc', 'RU-79': 'https://app.example.org/cb%ff',
  'RU-81': 'javascript:alert(1)//app.example.org/cb', 'RU-82': 'JaVaScRiPt://app.example.org/cb%0aalert(1)', 'RU-84': 'vbscript:msgbox(1)',
  'RU-85': 'file:///app.example.org/cb', 'RU-87': 'view-source:https://app.example.org/cb', 'RU-88': 'intent://app.example.org/cb#Intent;scheme=https;end',
  'RU-90': 'https://2130706433/cb', 'RU-91': 'https://[app.example.org]/cb', 'RU-93': 'https://*.example.org/cb', 'RU-94': 'ftp://app.example.org/cb',
  'RU-96': '', 'RU-97': 'null',
}

const loopback = [
  'http://127.0.0.1:49152/cb', 'http://127.0.0.1/cb', 'http://127.0.0.1:49152/cb?x=1', 'http://[::1]:49152/cb', 'http://[::ffff:127.0.0.1]:49152/cb', 'http://localhost:49152/cb',
  'http://LOCALHOST/cb', 'http://localhost.:49152/cb', 'http://127.0.0.1:80@evil.test/cb', 'http://127.1:49152/cb', 'http://2130706433/cb', 'http://0x7f.1/cb',
  'http://0177.0.0.1/cb', 'https://127.0.0.1:49152/cb', 'http://127.0.0.1:0/cb', 'http://127.0.0.1:99999/cb', 'http://127.0.0.1:-1/cb', 'http://127.0.0.1:80a/cb',
  'http://127.0.0.1:049152/cb', 'http://127.0.0.1:/cb', 'http://127.0.0.1:49152/cb#x', 'http://127.0.0.1:49152/cb/', 'http://127.0.0.1.evil.test:49152/cb',
]
const native = [
  'org.example.app:/cb', 'ORG.example.app:/cb', 'org.example.app://cb', 'org.example.app:/cb?x=1', 'org.example.app:cb', 'org.example.app:/', 'org.example.app:/cb/', 'org.example.app.evil:/cb',
]

// atToken brings a code of the first registered URI with another.
function atToken(name, client, uri) {
  return [`token: redirect_uri ${name}`, async (side) => {
    const code = await side.code(client)
    const own = side.clients[client].token_endpoint_auth_method === 'none' ? { client_id: side.clients[client].client_id } : {}
    const headers = own.client_id ? {} : side.basic(client)
    return answerOutcome(await side.post('token', side.exchange(code, { redirect_uri: uri, ...own }), headers))
  }]
}

const some = ['RU-01', 'RU-15', 'RU-27', 'RU-33', 'RU-37', 'RU-39', 'RU-40', 'RU-42', 'RU-48', 'RU-49', 'RU-54', 'RU-58', 'RU-60', 'RU-79', 'RU-97']
const shown = (uri) => JSON.stringify(uri).slice(1, -1)

export const redirect = [
  ...Object.entries(payloads).map(([id, uri]) => ask(`${id} ${shown(uri)}`, { redirect_uri: uri })),
  ...loopback.map((uri) => ask(`loopback ${uri}`, { redirect_uri: uri }, { client: 'nat' })),
  ...native.map((uri) => ask(`private scheme ${uri}`, { redirect_uri: uri }, { client: 'nat' })),
  ask('loopback port of a client that is not native', { redirect_uri: 'http://127.0.0.1:49152/cb' }),
  ask('the second registered redirect_uri', { redirect_uri: 'https://app.example.org/cb2' }),
  ask('redirect_uri of another client', { redirect_uri: 'https://evil.example.net/cb' }),
  ask('registered with a query', { prompt: 'consent' }, { client: 'query', as: 'agrees', decision: 'allow' }),
  ask('registered with a query, in another order', { redirect_uri: 'https://app.example.org/cb?tenant=1&' }, { client: 'query' }),
  ask('registered with plus and %20', { redirect_uri: 'https://app.example.org/a+b%20c', prompt: 'consent' }, { client: 'query', as: 'agrees', decision: 'allow' }),
  ask('registered with plus, sent as a space', { redirect_uri: 'https://app.example.org/a b%20c' }, { client: 'query' }),
  ask('registered with %20, sent as plus', { redirect_uri: 'https://app.example.org/a+b+c' }, { client: 'query' }),
  ask('loopback port, to the end', { redirect_uri: 'http://127.0.0.1:49152/cb', prompt: 'consent' }, { client: 'nat', as: 'agrees', decision: 'allow' }),
  ask('private scheme, to the end', { redirect_uri: 'org.example.app:/cb', prompt: 'consent' }, { client: 'nat', as: 'agrees', decision: 'allow' }),
  ...some.map((id) => atToken(`${id} ${shown(payloads[id])}`, 'web', payloads[id])),
  atToken('with another loopback port', 'nat', 'http://127.0.0.1:49153/cb'),
  atToken('as it was registered', 'web', callback),
]
