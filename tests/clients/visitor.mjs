// Somebody who visits pages one by one, with a browser of their own and scripts off, and fills in forms as they read them.

import crypto from 'node:crypto';

const PRESSED = 'button[type="submit"], button:not([type])';

export class Visitor {
  /** With `browser`, a playwright one; paths are those of `issuer`. */
  static async arrive(browser, issuer, { scripts = false } = {}) {
    const context = await browser.newContext({ javaScriptEnabled: scripts });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    return new Visitor(page, issuer);
  }

  constructor(page, issuer) {
    Object.assign(this, { page, issuer });
  }

  async open(path) {
    await this.page.goto(new URL(path, this.issuer).href);
  }

  /** Fills in the fields of the first form that has all of them and a button `button`, and presses it. */
  async answer(fields, button = PRESSED) {
    let form = this.page.locator('form').filter({ has: this.page.locator(button) });
    for (const name of Object.keys(fields)) form = form.filter({ has: this.page.locator(`[name="${name}"]`) });
    form = form.first();
    for (const [name, value] of Object.entries(fields)) {
      const field = form.locator(`[name="${name}"]`);
      const kind = await field.evaluate((element) => element.type);
      if (kind.startsWith('select')) await field.selectOption(value);
      else if (kind === 'checkbox') await field.setChecked(value);
      else await field.fill(value);
    }
    await this.press(form.locator(button).first());
  }

  /** Follows the link with this text. */
  async follow(text) {
    await this.press(this.page.getByRole('link', { name: text }).first());
  }

  async press(element) {
    await Promise.all([this.page.waitForEvent('framenavigated'), element.click()]);
    await this.page.waitForLoadState();
  }

  async signIn({ email, password }, path = '/login') {
    await this.open(path);
    await this.answer({ email });
    await this.answer({ password });
  }

  /** Says "not now" where a second factor is offered. */
  async answerOffer() {
    const later = 'button[value="later"]';
    if (await this.page.locator(later).count()) await this.answer({}, later);
  }

  /** Does `action`, which sends the browser to an address that begins with `prefix`; gives that address. Nothing need listen there. */
  async isSentTo(prefix, action) {
    const request = this.page.waitForRequest((request) => request.isNavigationRequest() && request.url().startsWith(prefix));
    const [arrived] = await Promise.all([request, action().catch(() => {})]);
    return arrived.url();
  }

  /** Signs out, and what the page says is forgotten. */
  async signOut() {
    await this.open('/logout');
    await this.answer({});
  }

  /** The heading of the page. */
  heading() {
    return this.page.locator('h1').innerText();
  }

  /** What the page says. */
  text() {
    return this.page.locator('main').innerText();
  }

  async leave() {
    await this.page.context().close();
  }
}

/** The one-time password of `secret` (base32) at `now`, milliseconds (RFC 6238). */
export function oneTimePassword(secret, now = Date.now()) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replaceAll(/[^A-Z2-7]/g, '')].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0'));
  const bytes = bits.join('').match(/.{8}/g).map((byte) => Number.parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30_000)));
  const tag = crypto.createHmac('sha1', Buffer.from(bytes)).update(counter).digest();
  const offset = tag.at(-1) & 15;
  return String((tag.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
