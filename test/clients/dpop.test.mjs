// openid-client and oauth4webapi, unmodified, go the whole way with proofs of
// possession: as public and as confidential clients, with and without nonces of the
// server, with pushed requests, over a refresh and to the record.
// spec: AT-12, AT-13, AT-14, PKCE-10, ERR-35
import test from 'node:test'
import assert from 'node:assert/strict'
import * as client from 'openid-client'
import * as oauth from 'oauth4webapi'
import { addZoe, Person, register, serve } from './sandbox.mjs'

const scope = 'launch/patient patient/*.rs openid fhirUser offline_access'
const redirect = 'http://127.0.0.1/callback'
const metadata = { dpop_bound_access_tokens: true, application_type: 'native', redirect_uris: [redirect], scope }

for (const mode of ['offered', 'nonce']) {
  test(`proofs, ${mode}`, async (t) => {
    const server = addZoe(await serve(`authorization: { dpop: ${mode} }`))
    t.after(() => server.stop())

    for (const [method, pushed] of [['none', false], ['none', true], ['client_secret_basic', true]]) {
      await t.test(`openid-client, ${method}${pushed ? ', pushed' : ''}`, () => withOpenIDClient(server, method, pushed))
    }
    await t.test('oauth4webapi', () => withOAuth4WebAPI(server))
  })
}

async function withOpenIDClient(server, method, pushed) {
  const app = register(server, { ...metadata, token_endpoint_auth_method: method })
  const proof = method === 'none' ? client.None() : client.ClientSecretBasic(app.client_secret)
  const config = await client.discovery(new URL(server.issuer), app.client_id, undefined, proof, { execute: [client.allowInsecureRequests] })
  assert.ok(config.serverMetadata().dpop_signing_alg_values_supported.includes('ES256'))
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const asked = {
    redirect_uri: redirect, scope, state, aud: server.fhir_base_url,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }
  const url = pushed
    ? await client.buildAuthorizationUrlWithPAR(config, asked, { DPoP })
    : client.buildAuthorizationUrl(config, { ...asked, dpop_jkt: await DPoP.calculateThumbprint() })
  const back = await new Person(server).approve(url.href, 'zoe')
  const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true }, undefined, { DPoP })
  assert.equal(tokens.token_type, 'dpop') // the library writes it small
  assert.equal(tokens.patient, 'zoe')
  assert.equal((await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP })).fhirUser, `${server.fhir_base_url}/Patient/zoe`)

  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
  const record = new URL(`${server.fhir_base_url}/Patient/zoe?_elements=name`)
  for (const { access_token: token } of [tokens, refreshed]) {
    assert.equal((await client.fetchProtectedResource(config, token, record, 'GET', undefined, undefined, { DPoP })).status, 200)
    const asBearer = await fetch(record, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(asBearer.status, 401)
    assert.match(asBearer.headers.get('www-authenticate'), /error="invalid_token"/)
  }
  const other = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) }
  await assert.rejects(client.fetchProtectedResource(config, refreshed.access_token, record, 'GET', undefined, undefined, other))
  await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_dpop_proof' })
  if (method === 'none') await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token, undefined, other), { error: 'invalid_grant' })
  if (method === 'none') return
  const about = await client.tokenIntrospection(config, refreshed.access_token)
  assert.equal(about.token_type, 'DPoP')
  assert.equal(about.cnf.jkt, await DPoP.calculateThumbprint())
}

async function withOAuth4WebAPI(server) {
  const app = register(server, { ...metadata, token_endpoint_auth_method: 'none' })
  const insecure = { [oauth.allowInsecureRequests]: true }
  const issuer = new URL(server.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const DPoP = oauth.DPoP(app, await oauth.generateKeyPair('ES384'))
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: app.client_id, redirect_uri: redirect, response_type: 'code', scope, state, aud: server.fhir_base_url,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }).toString()
  const back = await new Person(server).approve(url.href, 'zoe')
  const params = oauth.validateAuthResponse(as, app, back, state)
  // The library leaves it to its caller to ask again when a nonce is wanted.
  const again = async (send, read) => {
    try { return await read(await send()) } catch (e) {
      if (!oauth.isDPoPNonceError(e)) throw e
      return read(await send())
    }
  }
  const options = { ...insecure, DPoP }
  const tokens = await again(() => oauth.authorizationCodeGrantRequest(as, app, oauth.None(), params, redirect, verifier, options),
    (answer) => oauth.processAuthorizationCodeResponse(as, app, answer))
  assert.equal(tokens.token_type, 'dpop')
  const refreshed = await again(() => oauth.refreshTokenGrantRequest(as, app, oauth.None(), tokens.refresh_token, options),
    (answer) => oauth.processRefreshTokenResponse(as, app, answer))
  const record = await oauth.protectedResourceRequest(refreshed.access_token, 'GET', new URL(`${server.fhir_base_url}/Patient/zoe`), undefined, undefined, options)
  assert.equal(record.status, 200)
}
