// oauth4webapi and openid-client, unmodified, ask a configured server for signed answers
// and verify them with its published keys; an answer is no token to them, nor a token an
// answer.
// spec: INTRO-21, XP-06
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as oauth from 'oauth4webapi'
import * as client from 'openid-client'
import { operator, serve } from './sandbox.mjs'

const insecure = { [oauth.allowInsecureRequests]: true }
let server, as, token

// register runs `client add` for a document.
function register(name, document) {
  const file = join(server.data, `${name}.json`)
  writeFileSync(file, JSON.stringify(document))
  return operator(server, 'client', 'add', file)
}

before(async () => {
  server = await serve('introspection: { signed_answers: true }')
  const issuer = new URL(server.issuer)
  as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
  const service = register('service', {
    token_endpoint_auth_method: 'private_key_jwt', grant_types: ['client_credentials'], scope: 'system/Patient.rs', jwks: { keys: [{ kty, crv, x, y, kid: 'k', use: 'sig' }] }, emberlatch_data: { all: true },
  })
  const proof = oauth.PrivateKeyJwt({ key: privateKey, kid: 'k' })
  const answer = await oauth.clientCredentialsGrantRequest(as, service, proof, { scope: 'system/Patient.rs' }, insecure)
  token = (await oauth.processClientCredentialsResponse(as, service, answer)).access_token
})
after(() => server.stop())

const resourceServer = (alg) => register(`records-${alg}`, { redirect_uris: ['https://records.example.org/cb'], emberlatch_may_introspect: true, introspection_signed_response_alg: alg })

for (const alg of [undefined, 'RS256', 'ES256']) {
  test(`oauth4webapi verifies an answer, ${alg ?? 'with nothing registered'}`, async () => {
    const app = resourceServer(alg)
    assert.equal(app.introspection_signed_response_alg, alg)
    const auth = oauth.ClientSecretBasic(app.client_secret)
    for (const [text, active] of [[token, true], ['nonsense', false]]) {
      const answer = await oauth.introspectionRequest(as, app, auth, text, { requestJwtResponse: true, ...insecure })
      assert.equal(answer.headers.get('content-type'), 'application/token-introspection+jwt')
      const said = await oauth.processIntrospectionResponse(as, app, answer)
      await oauth.validateApplicationLevelSignature(as, answer, insecure)
      assert.equal(said.active, active)
      const plain = await oauth.processIntrospectionResponse(as, app, await oauth.introspectionRequest(as, app, auth, text, { requestJwtResponse: false, ...insecure }))
      assert.deepEqual(said, plain)
    }
    // For somebody else it is nothing, and neither is another algorithm.
    const answer = await oauth.introspectionRequest(as, app, auth, token, { requestJwtResponse: true, ...insecure })
    await assert.rejects(oauth.processIntrospectionResponse(as, { ...app, client_id: 'another' }, answer.clone()))
    await assert.rejects(oauth.processIntrospectionResponse(as, { ...app, introspection_signed_response_alg: alg === 'ES256' ? 'RS256' : 'ES256' }, answer.clone()))
    // An answer is no access token to a resource server, and a token is no answer.
    const text = await answer.clone().text()
    const request = new Request('https://records.example.org/fhir', { headers: { authorization: `Bearer ${text}` } })
    await assert.rejects(oauth.validateJwtAccessToken(as, request, app.client_id, insecure))
    const masked = new Response(token, { headers: { 'content-type': 'application/token-introspection+jwt' } })
    await assert.rejects(oauth.processIntrospectionResponse(as, { ...app, introspection_signed_response_alg: 'ES256' }, masked))
  })
}

test('openid-client asks for a signed answer', async () => {
  const app = resourceServer('ES256')
  const config = await client.discovery(new URL(server.issuer), app.client_id, { introspection_signed_response_alg: 'ES256' }, client.ClientSecretBasic(app.client_secret), { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] })
  assert.deepEqual(config.serverMetadata().introspection_signing_alg_values_supported, ['ES256', 'RS256'])
  const said = await client.tokenIntrospection(config, token)
  assert.equal(said.active, true)
  assert.equal(said.scope, 'system/Patient.rs')
})
