// The clients that are registered with both servers, under the same names, secrets
// and keys.
import { generateKeyPairSync } from 'node:crypto'

export const callback = 'https://app.example.org/cb'
export const scope = 'openid offline_access profile user/*.rs'

const pair = (kid, curve) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
  return { kid, privateKey, public: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: curve === 'P-384' ? 'ES384' : 'ES256' } }
}

// keys: those of the two clients that prove themselves by one, and a stranger's.
export const keys = { jwt: pair('jwt-1', 'P-384'), bes: pair('bes-1', 'P-384'), stranger: pair('jwt-1', 'P-384') }

const people = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], scope }
const jwks = (name) => ({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [keys[name].public] } })

// metadata is what each of them says about itself (RFC 7591 §2).
export const metadata = {
  pub: { ...people, application_type: 'browser', token_endpoint_auth_method: 'none', redirect_uris: [callback, 'https://app.example.org/cb2'] },
  nat: { ...people, application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/cb', 'org.example.app:/cb'] },
  web: { ...people, application_type: 'web', token_endpoint_auth_method: 'client_secret_basic', redirect_uris: [callback], post_logout_redirect_uris: ['https://app.example.org/bye'] },
  post: { ...people, application_type: 'web', token_endpoint_auth_method: 'client_secret_post', redirect_uris: [callback] },
  query: { ...people, application_type: 'web', token_endpoint_auth_method: 'client_secret_basic', redirect_uris: ['https://app.example.org/cb?tenant=1', 'https://app.example.org/a+b%20c'] },
  jwt: { ...people, application_type: 'web', ...jwks('jwt'), redirect_uris: [callback] },
  evil: { ...people, application_type: 'web', token_endpoint_auth_method: 'client_secret_basic', redirect_uris: ['https://evil.example.net/cb'] },
  bes: { grant_types: ['client_credentials'], application_type: 'web', ...jwks('bes'), redirect_uris: [], response_types: [], scope: 'system/*.rs' },
}
