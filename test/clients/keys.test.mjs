// openid-client and oauth4webapi, unmodified, prove themselves by a key: an app that
// people use, and a backend service.
// spec: CAUTH-12, CAUTH-31, BS-05, DISC-15
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import * as client from 'openid-client'
import * as oauth from 'oauth4webapi'
import { Person, start } from './sandbox.mjs'

let sandbox
before(async () => { sandbox = await start() })
after(() => sandbox.stop())

const registered = (kind) => sandbox.clients.find((c) => c.kind === kind)

// privateKey reads the key of sandbox.json for use with these libraries.
async function privateKey(app) {
  const { kid, alg, use, ...jwk } = app.private_jwk
  return { kid, key: await crypto.subtle.importKey('jwk', { ...jwk, ext: true }, { name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign']) }
}

test('openid-client: code, refresh, introspection, revocation', async () => {
  const app = registered('asymmetric')
  const config = await client.discovery(new URL(sandbox.issuer), app.client_id, undefined, client.PrivateKeyJwt(await privateKey(app)), { execute: [client.allowInsecureRequests] })
  assert.ok(config.serverMetadata().token_endpoint_auth_signing_alg_values_supported.includes('ES384'))
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: app.redirect_uris[0], scope: 'launch/patient patient/*.rs openid fhirUser offline_access', state, aud: sandbox.fhir_base_url,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  const back = await new Person(sandbox).approve(url.href, 'maria')
  const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true })
  assert.equal(tokens.patient, 'maria')
  const again = await client.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(again.access_token, tokens.access_token)
  assert.equal((await client.tokenIntrospection(config, again.access_token)).active, true)
  await client.tokenRevocation(config, again.refresh_token)
  assert.equal((await client.tokenIntrospection(config, again.access_token)).active, false)
})

test('openid-client: a backend service', async () => {
  const app = registered('backend')
  const config = await client.discovery(new URL(sandbox.issuer), app.client_id, undefined, client.PrivateKeyJwt(await privateKey(app)), { execute: [client.allowInsecureRequests] })
  const tokens = await client.clientCredentialsGrant(config, { scope: 'system/Patient.rs' })
  assert.equal(tokens.scope, 'system/Patient.rs')
  assert.equal(tokens.refresh_token, undefined)
  const answer = await client.fetchProtectedResource(config, tokens.access_token, new URL(`${sandbox.fhir_base_url}/Patient?_count=100`), 'GET')
  assert.equal(answer.status, 200)
  assert.ok((await answer.json()).entry.length > 5)
})

test('oauth4webapi: a backend service, with typ in the header', async () => {
  const app = registered('backend')
  const insecure = { [oauth.allowInsecureRequests]: true }
  const issuer = new URL(sandbox.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const proof = oauth.PrivateKeyJwt(await privateKey(app), { [oauth.modifyAssertion]: (header) => { header.typ = 'JWT' } })
  const ask = (scope) => oauth.clientCredentialsGrantRequest(as, app, proof, { scope }, insecure)
  const tokens = await oauth.processClientCredentialsResponse(as, app, await ask('system/*.read'))
  assert.equal(tokens.expires_in, 300)
  await assert.rejects(async () => oauth.processClientCredentialsResponse(as, app, await ask('patient/*.rs')), { error: 'invalid_scope' })
})
