// The built binary as a sandbox, and a person at a browser without JavaScript.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const binary = new URL('../../bin/emberlatch', import.meta.url).pathname

// start runs `emberlatch dev` on a free port and waits for its ready line.
export async function start() {
  const data = mkdtempSync(join(tmpdir(), 'emberlatch-'))
  const stop = await run(['dev', '--listen', '127.0.0.1:0', '--data', data, '--quiet'], data, 'inherit')
  return { ...JSON.parse(readFileSync(join(data, 'sandbox.json'), 'utf8')), data, stop }
}

// serve runs `emberlatch serve` on a free port of loopback, with more of a configuration.
export async function serve(more) {
  const data = mkdtempSync(join(tmpdir(), 'emberlatch-'))
  const port = await new Promise((resolve) => {
    const free = createServer().listen(0, '127.0.0.1', () => { const { port } = free.address(); free.close(() => resolve(port)) })
  })
  const issuer = `http://localhost:${port}`
  const config = join(data, 'emberlatch.yaml')
  writeFileSync(config, `public_url: ${issuer}\nlisten: { public: "127.0.0.1:${port}" }\n${more}\n`)
  const stop = await run(['serve', '--config', config], data, 'ignore')
  return { issuer, data, config, stop }
}

// addZoe gives a server the patient zoe with an account.
export function addZoe(server) {
  const zoe = { username: 'zoe', password: 'a quiet morning walk', role: 'patient', fhirUser: 'Patient/zoe' }
  const record = { resourceType: 'Patient', id: 'zoe', name: [{ family: 'Winter' }], birthDate: '1990-01-01' }
  for (const [command, name, body] of [[['data', 'load'], 'zoe.ndjson', record], [['user', 'add'], 'user.json', zoe]]) {
    writeFileSync(join(server.data, name), JSON.stringify(body))
    execFileSync(binary, [...command, join(server.data, name), '--config', server.config])
  }
  return { ...server, fhir_base_url: `${server.issuer}/fhir`, people: [zoe] }
}

// run starts the binary and waits for its ready line.
async function run(args, data, errors) {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', errors] })
  await new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (d) => { text += d; if (/^ready /m.test(text)) resolve() })
    child.on('exit', (code) => reject(new Error(`emberlatch ended with ${code}`)))
  })
  return () => new Promise((resolve) => {
    child.removeAllListeners('exit')
    child.on('exit', () => { rmSync(data, { recursive: true, force: true }); resolve() })
    child.kill('SIGTERM')
  })
}

// register has the operator register an app from its metadata.
export function register(sandbox, metadata) {
  const file = join(sandbox.data, 'app.json')
  writeFileSync(file, JSON.stringify(metadata))
  return operator(sandbox, 'client', 'add', file)
}

// operator runs a command of an operator and reads its JSON.
export function operator(sandbox, ...args) {
  const where = sandbox.config ? ['--config', sandbox.config] : ['--data', sandbox.data]
  return JSON.parse(execFileSync(binary, [...args, ...where], { encoding: 'utf8' }))
}

// Person fills in forms; it keeps cookies and follows redirects of the server.
export class Person {
  constructor(sandbox) { this.sandbox = sandbox; this.cookies = new Map() }

  async request(url, init = {}) {
    for (let hop = 0; hop < 15; hop++) {
      const headers = { cookie: [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; '), ...init.headers }
      const answer = await fetch(url, { ...init, headers, redirect: 'manual' })
      for (const c of answer.headers.getSetCookie()) {
        const [pair] = c.split(';')
        this.cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
      }
      const location = answer.headers.get('location')
      if (!location) return { url, text: await answer.text(), status: answer.status }
      const next = new URL(location, url)
      if (next.origin !== this.sandbox.issuer) return { left: next }
      url = next.href
      init = {}
    }
    throw new Error('too many redirects')
  }

  // approve signs in and shares everything; it returns where the app is called back.
  async approve(url, username) {
    const person = this.sandbox.people.find((p) => p.username === username)
    let page = await this.request(url)
    for (let n = 0; n < 6 && !page.left; n++) {
      const form = page.text.includes('value="sign-in"')
        ? { username, password: person.password, action: 'sign-in' } : { decision: 'allow' }
      page = await this.post(page, form)
    }
    if (!page.left) throw new Error('the pages did not lead back to the app')
    return page.left
  }

  post(page, values) {
    const button = values.action ? 'value="sign-in"' : 'value="allow"'
    const form = page.text.split('<form').slice(1).find((f) => f.split('</form>')[0].includes(button))
    const unescape = (s) => s.replaceAll('&#43;', '+').replaceAll('&#34;', '"').replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>')
    const body = new URLSearchParams()
    for (const [tag] of form.split('</form>')[0].matchAll(/<input[^>]*>/g)) {
      const get = (name) => unescape(tag.match(new RegExp(` ${name}="([^"]*)"`))?.[1] ?? '')
      const type = get('type')
      if (type === 'hidden' || ((type === 'checkbox' || type === 'radio') && / checked/.test(tag))) body.append(get('name'), get('value'))
    }
    for (const [k, v] of Object.entries(values)) body.set(k, v)
    return this.request(new URL(unescape(form.match(/action="([^"]*)"/)[1]), page.url).href, {
      method: 'POST', body: body.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded', origin: this.sandbox.issuer, 'sec-fetch-site': 'same-origin' },
    })
  }
}
