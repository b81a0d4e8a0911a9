// In Chromium: the sample app as every kind of person, and fhirclient, unmodified,
// from another origin. Every page is looked at in two widths and by axe-core.
// spec: HDR-04, HDR-05, LOGIN-02, LOGIN-20, LOGIN-25, CTX-11, CTX-13, AUTHZ-50, CORS-03, CORS-04, DISC-01
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { start } from './sandbox.mjs'
import { launch, look, press, signIn } from './browser.mjs'

const require = createRequire(import.meta.url)
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
let sandbox
let browser
before(async () => { sandbox = await start(); browser = await launch() })
after(async () => { await browser?.close(); await sandbox?.stop() })

const person = (username) => sandbox.people.find((p) => p.username === username)

// visit is one browser without cookies; scripts of a page cannot run here (strict
// policy), so axe is brought in past the policy.
async function visit(t) {
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  await page.setBypassCSP(false)
  t.after(() => context.close())
  return page
}

async function check(page, name) {
  const problems = await look(page, name)
  const client = await page.createCDPSession()
  await client.send('Page.setBypassCSP', { enabled: true })
  const { result } = await client.send('Runtime.evaluate', {
    expression: `${axe}; axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target).join(' '))))`,
    awaitPromise: true, returnByValue: true,
  })
  await client.send('Page.setBypassCSP', { enabled: false })
  assert.deepEqual([...problems, ...JSON.parse(result.value)], [], name)
}

async function connect(page) {
  await page.goto(sandbox.sample_app)
  await press(page, 'form[action="/connect"] button')
}

async function record(page, name) {
  assert.equal(new URL(page.url()).origin, sandbox.sample_app)
  const text = await page.evaluate(() => document.body.innerText)
  assert.match(text, name)
  return text
}

test('a patient', async (t) => {
  const page = await visit(t)
  await page.goto(sandbox.issuer)
  await check(page, 'start')
  await connect(page)
  await check(page, 'sign-in')
  await signIn(page, person('maria'))
  await check(page, 'approve')
  await press(page, 'button[value="allow"]')
  const text = await record(page, /Maria Lopez/)
  assert.match(text, /Type 2 diabetes/)
  assert.match(text, /Hemoglobin A1c/)
  assert.ok((await page.$$('svg.plot path.line')).length > 5, 'trends are plotted')
  await check(page, 'record')
  await press(page, 'form[action="/refresh"] button')
  await record(page, /Maria Lopez/)
  await press(page, 'form[action="/disconnect"] button')
  assert.match(await page.evaluate(() => document.body.innerText), /Connect your health record/)
})

test('a patient who enrols first', async (t) => {
  const page = await visit(t)
  const who = sandbox.enrolment[0]
  await connect(page)
  await press(page, 'a[href^="/enrol"]')
  await check(page, 'identify')
  const [year, month, day] = who.birth_date.split('-')
  for (const [id, value] of Object.entries({ given: who.given, family: who.family, 'birth_date-day': day, 'birth_date-month': month, 'birth_date-year': year, code: who.code })) {
    await page.type(`[id="${id}"]`, value)
  }
  await press(page, 'button[value="continue"]')
  await check(page, 'create-credentials')
  await page.type('#username', 'nora')
  await page.type('#password', 'a quiet morning walk')
  await press(page, 'button[value="continue"]')
  await press(page, 'button[value="allow"]')
  await record(page, /Nora Haddad/)
})

test('a parent for a child', async (t) => {
  const page = await visit(t)
  await connect(page)
  await signIn(page, person('anna'))
  await check(page, 'choose-person')
  await page.click('input[name="patient"][value="leo"]')
  await press(page, 'button[value="continue"]')
  await press(page, 'button[value="allow"]')
  const text = await record(page, /Leo Keller/)
  assert.doesNotMatch(text, /Asthma/)
})

test('a clinician who picks a patient', async (t) => {
  const page = await visit(t)
  await connect(page)
  await signIn(page, person('chen'))
  await check(page, 'choose-patient')
  await page.type('#name', 'lopez')
  await press(page, 'button[value="search"]')
  await page.click('input[name="patient"][value="maria"]')
  await press(page, 'button[value="choose"]')
  await press(page, 'button[value="allow"]')
  await record(page, /Maria Lopez/)
})

test('a desktop app reads its code off a page, and an error is a page', async (t) => {
  const page = await visit(t)
  const legacy = sandbox.clients[0]
  const query = { response_type: 'code', client_id: legacy.client_id, redirect_uri: legacy.redirect_uris[0], scope: legacy.scope, aud: sandbox.fhir_base_url, ui_locales: 'es' }
  await page.goto(`${sandbox.issuer}/authorize?${new URLSearchParams(query)}`)
  await signIn(page, person('james'))
  await press(page, 'button[value="allow"]')
  await check(page, 'code')
  assert.match(await page.$eval('#authorization-code', (e) => e.value), /^ac_/)
  await page.goto(`${sandbox.issuer}/authorize?${new URLSearchParams({ ...query, redirect_uri: 'https://evil.example.org' })}`)
  await check(page, 'error')
})

test('fhirclient from another origin', async (t) => {
  const page = await visit(t)
  const library = readFileSync(require.resolve('fhirclient/build/fhir-client.js'))
  const app = `<!doctype html><title>app</title><script src="/fhir-client.js"></script><pre id="out"></pre><script>
    const show = (o) => { document.getElementById('out').textContent = JSON.stringify(o) }
    if (location.pathname === '/launch') FHIR.oauth2.authorize({ iss: '${sandbox.fhir_base_url}', client_id: 'sandbox-browser', redirect_uri: 'http://127.0.0.1:9002/callback', scope: 'launch/patient patient/*.rs openid fhirUser offline_access', pkceMode: 'required' })
    else FHIR.oauth2.ready().then(async (c) => {
      const patient = await c.patient.read()
      const problems = await c.request('Condition?patient=' + c.patient.id, { flat: true, pageLimit: 0 })
      await c.refresh()
      show({ id: patient.id, problems: problems.length, user: c.user.fhirUser, again: (await c.patient.read()).id })
    }).catch((e) => show({ error: String(e) }))
  </script>`
  const server = createServer((req, res) => {
    if (req.url === '/fhir-client.js') return res.end(library)
    res.setHeader('content-type', 'text/html')
    res.end(app)
  })
  await new Promise((resolve) => server.listen(9002, '127.0.0.1', resolve))
  t.after(() => server.close())
  await page.goto('http://127.0.0.1:9002/launch')
  await signIn(page, person('maria'))
  await press(page, 'button[value="allow"]')
  await page.waitForFunction(() => document.getElementById('out')?.textContent)
  const out = JSON.parse(await page.$eval('#out', (e) => e.textContent))
  assert.deepEqual(out, { id: 'maria', problems: 3, user: 'Patient/maria', again: 'maria' })
})
