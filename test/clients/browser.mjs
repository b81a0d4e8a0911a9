// A real Chromium.
import { existsSync } from 'node:fs'
import puppeteer from 'puppeteer-core'

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

export function launch() {
  if (!path) throw new Error('Chromium is not installed: run make setup')
  return puppeteer.launch({
    executablePath: path, headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}

// press clicks a button and waits for the page that follows.
export async function press(page, selector) {
  await page.waitForSelector(selector)
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.click(selector)])
}

// signIn fills in the login page.
export async function signIn(page, person) {
  await page.waitForSelector('#username')
  await page.type('#username', person.username)
  await page.type('#password', person.password)
  await press(page, 'button[value="sign-in"]')
}

// look checks a page at 320 px, keeps a picture if SCREENSHOTS names a folder, and
// has axe-core look for mistakes of accessibility.
export async function look(page, name) {
  const problems = []
  for (const width of [1280, 320]) {
    await page.setViewport({ width, height: 900 })
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    if (wide > 0) problems.push(`${name} is ${wide} px too wide at ${width}`)
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}-${width}.png`, fullPage: true })
  }
  await page.setViewport({ width: 1280, height: 900 })
  return problems
}
