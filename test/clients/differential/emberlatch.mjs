// This server as one side: the built binary as a sandbox, with the clients added.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { start } from '../sandbox.mjs'
import { keys, metadata } from './clients.mjs'

const binary = new URL('../../../bin/emberlatch', import.meta.url).pathname
const run = promisify(execFile)

export async function emberlatch() {
  const sandbox = await start()
  const clients = {}
  for (const [name, about] of Object.entries(metadata)) {
    const file = join(sandbox.data, `${name}.json`)
    const switches = name === 'web' ? { emberlatch_may_introspect: true } : {}
    const data = name === 'bes' ? { emberlatch_data: { all: true } } : {}
    writeFileSync(file, JSON.stringify({ ...about, ...switches, ...data }))
    const { stdout } = await run(binary, ['client', 'add', file, '--data', sandbox.data])
    clients[name] = { ...about, ...JSON.parse(stdout), key: keys[name] }
  }
  const { stdout } = await run(binary, ['client', 'token', 'add', '--uses', '100', '--data', sandbox.data])
  const initialAccessToken = stdout.match(/it_[\w-]+/)[0]
  return { name: 'emberlatch', sandbox, audience: sandbox.fhir_base_url, initialAccessToken, clients, stop: sandbox.stop }
}
