// oidc-provider as the other side, set up for what both offer: code with S256, the
// same clients, the same person. Its pages are as plain as ours, so that one pair of
// hands can fill in both.
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import Provider, { errors, interactionPolicy } from 'oidc-provider'

const initialAccessToken = 'it_of-the-peer'
const audience = 'https://fhir.example.org/r4'
const pages = {
  login: '<input type="text" name="username"><input type="password" name="password"><button name="action" value="sign-in">Sign in</button>',
  consent: '<button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button>',
}

function jwk(type, options, about) {
  return { ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), use: 'sig', ...about }
}

const about = (clients) => Object.values(clients).map(({ key, application_type: type, client_name: _, ...c }) => {
  const known = Object.fromEntries(Object.entries(c).filter(([k]) => !k.startsWith('emberlatch_') && !/^client_(id_issued_at|secret_expires_at)$/.test(k)))
  return { ...known, application_type: type === 'native' ? 'native' : 'web', id_token_signed_response_alg: 'RS256' }
})

// policy asks to choose an account as well, which the base policy leaves out.
function policy() {
  const base = interactionPolicy.base()
  base.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0)
  return base
}

function configuration(clients) {
  return {
    clients: about(clients),
    jwks: { keys: [jwk('rsa', { modulusLength: 2048 }, { alg: 'RS256', kid: 'rs' }), jwk('ec', { namedCurve: 'P-256' }, { alg: 'ES256', kid: 'es' })] },
    cookies: { keys: ['for a test only'], long: { sameSite: 'none' }, short: { sameSite: 'none' } },
    scopes: ['openid', 'offline_access', 'profile', 'user/*.rs', 'system/*.rs', 'system/Patient.rs'],
    claims: { openid: ['sub'], profile: ['name'] },
    responseTypes: ['code'],
    pkce: { required: () => true },
    extraParams: ['aud', 'launch'],
    enableHttpPostMethods: true,
    allowOmittingSingleRegisteredRedirectUri: false,
    rotateRefreshToken: true,
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'RS384', 'ES256', 'ES384'] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, name: sub }) }),
    renderError: (ctx, out) => { ctx.type = 'html'; ctx.body = `<p id="error">${out.error}</p>` },
    interactions: { policy: policy(), url: (_, i) => `/interaction/${i.uid}` },
    ttl: { AccessToken: 1200, AuthorizationCode: 60, IdToken: 600, RefreshToken: 86400, Session: 86400, Interaction: 600, Grant: 86400, ClientCredentials: 300 },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: (_, client, token) => client.clientId === clients.web.client_id || client.clientId === token.clientId },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
      registration: { enabled: true, initialAccessToken },
      requestObjects: { enabled: false },
      pushedAuthorizationRequests: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => { ctx.body = form.replace('</form>', '<button name="logout" value="sign-out">Out</button></form>') },
        postLogoutSuccessSource: (ctx) => { ctx.body = '<p>Signed out</p>' },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => false,
        getResourceServerInfo: (_, indicator) => {
          if (indicator !== audience) throw new errors.InvalidTarget()
          return { scope: 'openid profile offline_access', audience, accessTokenTTL: 1200 }
        },
      },
    },
  }
}

async function interact(provider, req, res) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(req, res)
  if (req.method === 'GET') {
    res.setHeader('content-type', 'text/html')
    return res.end(`<form method="post" action="${req.url}">${pages[prompt.name] ?? pages.login}</form>`)
  }
  let body = ''
  for await (const part of req) body += part
  const form = new URLSearchParams(body)
  if (prompt.name === 'login') return provider.interactionFinished(req, res, { login: { accountId: form.get('username') } })
  if (form.get('decision') !== 'allow') return provider.interactionFinished(req, res, { error: 'access_denied' })
  const grant = (grantId && await provider.Grant.find(grantId)) || new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope ?? '')
  if (params.resource) grant.addResourceScope(params.resource, params.scope ?? '')
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true })
}

export async function oidcProvider(clients) {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, configuration(clients))
  const callback = provider.callback()
  server.on('request', (req, res) => {
    if (!req.url.startsWith('/interaction/')) return callback(req, res)
    return interact(provider, req, res).catch((e) => { res.statusCode = 400; res.end(String(e)) })
  })
  const sandbox = { issuer, people: [{ username: 'maria', password: 'any' }, { username: 'james', password: 'any' }] }
  const stop = () => { server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)) }
  return { name: 'oidc-provider', sandbox, audience, initialAccessToken, clients, stop }
}
