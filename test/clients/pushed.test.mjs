// openid-client, unmodified, pushes its requests: with a secret, with a key, and as a
// public client.
// spec: AUTHZ-53, AUTHZ-54, DISC-35
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { Person, start } from './sandbox.mjs'

let sandbox
before(async () => { sandbox = await start() })
after(() => sandbox.stop())

const scope = 'launch/patient patient/*.rs openid fhirUser'

async function proof(app) {
  if (app.client_secret) return client.ClientSecretBasic(app.client_secret)
  if (!app.private_jwk) return client.None()
  const { alg, ...jwk } = app.private_jwk
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: jwk.crv }, false, ['sign'])
  return client.PrivateKeyJwt({ key, kid: jwk.kid })
}

for (const id of ['sandbox-confidential', 'sandbox-asymmetric', 'sandbox-native']) {
  test(`openid-client pushes a request as ${id}`, async () => {
    const app = sandbox.clients.find((c) => c.client_id === id)
    const config = await client.discovery(new URL(sandbox.issuer), app.client_id, undefined, await proof(app), { execute: [client.allowInsecureRequests] })
    const verifier = client.randomPKCECodeVerifier()
    const state = client.randomState()
    const nonce = client.randomNonce()
    const asked = {
      redirect_uri: app.redirect_uris[0], scope, state, nonce, aud: sandbox.fhir_base_url,
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    }
    const url = await client.buildAuthorizationUrlWithPAR(config, asked)
    assert.equal(url.searchParams.get('scope'), null)
    const back = await new Person(sandbox).approve(url.href, 'maria')
    const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true })
    assert.equal(tokens.patient, 'maria')
    assert.equal((await new Person(sandbox).request(url.href)).status, 400)
    await assert.rejects(client.buildAuthorizationUrlWithPAR(config, { ...asked, scope: 'nonsense/only' }), { error: 'invalid_scope' })
  })
}
