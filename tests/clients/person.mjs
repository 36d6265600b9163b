// A person at a real browser: Chromium, driven from outside. They sign in where they are asked to, answer what they are
// asked, and stop where the browser leaves the issuer.

import path from 'node:path';

import { chromium } from 'playwright-core';

import { oneTimePassword } from './visitor.mjs';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  // No name but this machine's is ever looked up.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1'];

/** How long one step of a person may take, in milliseconds. */
const PATIENCE = 20_000;

export class Person {
  /** A browser of the kind that people sit at. */
  static launch() {
    return chromium.launch({ executablePath: process.env.WARDGATE_CHROMIUM, args: FLAGS });
  }

  /** `email` and `password` are what they sign in with; `totpSecret` (base32) is what their authenticator app holds, if any. */
  static async atBrowser(email, password, totpSecret) {
    const browser = await Person.launch();
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    return new Person(browser, page, { email, password, totpSecret });
  }

  constructor(browser, page, { email, password, totpSecret }) {
    // `patient` is the name of whom they look for where they are to choose one.
    Object.assign(this, { browser, page, email, password, totpSecret, patient: '', pages: [] });
  }

  /**
   * Opens `url` and follows it until the browser is sent to an address that begins with `until`; gives that address, and
   * how it came there: the method, and the form if it was posted. Nothing need listen there.
   */
  async go(url, until, decision = 'allow') {
    let arrived;
    const arrival = new Promise((resolve) => {
      this.page.on('request', function look(request) {
        if (!request.isNavigationRequest() || !request.url().startsWith(until)) return;
        this.off('request', look);
        arrived = { url: request.url(), method: request.method(), form: request.postData() };
        resolve(arrived);
      });
    });
    // Where nothing listens, the visit fails in the end; what counts is that it was sent there.
    await this.page.goto(url).catch((error) => {
      if (!arrived) throw error;
    });
    return await Promise.race([arrival, this.answer(decision, () => arrived)]);
  }

  /** Answers every page that asks something, in turn, until `isOver` says so. */
  async answer(decision = 'allow', isOver = () => false) {
    const end = Date.now() + PATIENCE;
    while (Date.now() < end) {
      const outcome = await isOver();
      if (outcome) return outcome;
      try {
        await this.answerOnce(decision);
      } catch (error) {
        // A page that goes away while it is looked at is one that was answered.
        if (!/navigat|destroyed|closed|detached|Timeout/i.test(error.message)) throw error;
      }
      await this.page.waitForTimeout(20);
    }
    throw new Error(`nothing more to answer at ${this.page.url()}: ${await this.page.locator('body').innerText()}`);
  }

  async answerOnce(decision) {
    const form = this.page.locator('form[method="post" i]').first();
    if (!(await form.count())) return;
    const title = await this.page.title();
    if (this.pages.at(-1) !== title) {
      this.pages.push(title);
      await this.keepPicture(title);
    }
    const choice = this.page.locator('button[name="patient"], button[name="encounter"]').first();
    if (await choice.count()) {
      await this.submit(choice);
    } else if (await form.locator('[name="birthdate"]').count()) {
      await form.locator('[name="name"]').fill(this.patient, { timeout: 2000 });
      await this.submit(form.locator('button').first());
    } else if (await form.locator('[name="password"]').count()) {
      // `login` is what other providers call it.
      const address = form.locator('[name="email"], [name="login"]');
      if (await address.isEditable()) await address.fill(this.email, { timeout: 2000 });
      await form.locator('[name="password"]').fill(this.password, { timeout: 2000 });
      await this.submit(form.locator('button[type="submit"], button:not([type])').first());
    } else if (await form.locator('[name="email"]').count()) {
      await form.locator('[name="email"]').fill(this.email, { timeout: 2000 });
      await this.submit(form.locator('button[type="submit"]').first());
    } else if (this.totpSecret && (await form.locator('[name="code"]').count())) {
      await form.locator('[name="code"]').fill(oneTimePassword(this.totpSecret), { timeout: 2000 });
      await this.submit(form.locator('button[type="submit"], button:not([type])').first());
    } else if (await form.locator('[name="decision"][value="later"]').count()) {
      // A second factor is offered.
      await this.submit(form.locator('[name="decision"][value="later"]'));
    } else if (await form.locator('[name="decision"]').count()) {
      await this.submit(form.locator(`[name="decision"][value="${decision}"]`));
    } else if (await form.locator('button').count()) {
      await this.submit(form.locator('button').first());
    }
  }

  /** For people who want to look: a picture of every page as a phone shows it, in the folder of WARDGATE_SCREENSHOTS. */
  async keepPicture(title) {
    const folder = process.env.WARDGATE_SCREENSHOTS;
    if (!folder) return;
    await this.page.setViewportSize({ width: 390, height: 844 });
    const name = `${title.split(' · ')[0].replaceAll(/[^A-Za-z]+/g, '-')}.png`;
    await this.page.screenshot({ path: path.join(folder, name), fullPage: true });
  }

  async submit(button) {
    await Promise.all([this.page.waitForEvent('framenavigated', { timeout: 5000 }), button.click({ timeout: 2000 })]);
  }

  async leave() {
    await this.browser.close();
  }
}
