// Sends every row to both servers and gives what became of it.
import { assertions } from './assertion.mjs'
import { authorize } from './authorize.mjs'
import { answers } from './claims.mjs'
import { emberlatch } from './emberlatch.mjs'
import { endpoints } from './endpoint.mjs'
import { oidcProvider } from './peer.mjs'
import { provider } from './provider.mjs'
import { redirect } from './redirect.mjs'
import { pushes } from './pushed.mjs'
import { registrations } from './registration.mjs'
import { refreshes } from './refresh.mjs'
import { Side } from './side.mjs'
import { token } from './token.mjs'

const everything = [...authorize, ...redirect, ...provider, ...token, ...assertions, ...refreshes, ...endpoints, ...answers, ...registrations, ...pushes]

// rows have names in visible ASCII, so that they can stand in a table.
const visible = (name) => name.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
export const rows = everything.map(([name, send]) => [visible(name), send])

// outcome is that of one row; what cannot be sent at all says so.
async function outcome(side, send) {
  try {
    return await send(side)
  } catch (e) {
    return `FAILED ${e.cause?.code ?? e.message}`
  }
}

// run gives [name, outcome here, outcome of the peer] for every row, in their order.
export async function run() {
  const ours = await emberlatch()
  const theirs = await oidcProvider(ours.clients)
  try {
    const [here, there] = [await Side.of(ours), await Side.of(theirs)]
    const results = []
    for (const [name, send] of rows) results.push([name, ...await Promise.all([outcome(here, send), outcome(there, send)])])
    return results
  } finally {
    await Promise.all([ours.stop(), theirs.stop()])
  }
}
