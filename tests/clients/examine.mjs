// What a page is held to, whoever looks at it: axe-core finds no violation, nothing is cut off or has to be scrolled sideways,
// there is one heading of the first rank, and no link of ours leads nowhere; at a phone's width and a desktop's, in light and in dark.
//
// The page is looked at as it came, in a browser of its own with scripts on (axe-core needs them), so that the person who
// visits it may have theirs off. In the folder of WARDGATE_SCREENSHOTS each page leaves a picture a width.

import fs from 'node:fs';
import path from 'node:path';

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };
const AXE = fs.readFileSync(path.join(process.env.WARDGATE_NODE_MODULES, 'axe-core', 'axe.min.js'), 'utf8');

export class Examiner {
  /** Looks with `browser`, a playwright one. */
  static async with(browser) {
    const context = await browser.newContext();
    return new Examiner(await context.newPage());
  }

  constructor(page) {
    // `titles` are those of the pages that were looked at, by their names; `faults` is what is wrong with them.
    Object.assign(this, { page, titles: {}, faults: [], followed: new Set() });
  }

  /** Looks at what `visited` shows now, and calls it `name`. */
  async look(visited, name) {
    if (name in this.titles) throw new Error(`two pages are called ${name}`);
    this.titles[name] = (await visited.title()).split(' · ')[0];
    const url = visited.url();
    const body = await visited.content();
    await this.page.route(url, (route) =>
      route.request().isNavigationRequest()
        ? route.fulfill({ contentType: 'text/html; charset=utf-8', body })
        : route.continue());
    await this.page.goto(url);
    for (const [size, viewport] of Object.entries(SIZES)) {
      await this.page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark']) {
        await this.page.emulateMedia({ colorScheme });
        await this.judge(`${name} (${size}, ${colorScheme})`);
      }
      await this.page.emulateMedia({ colorScheme: 'light' });
      await this.keepPicture(size, name);
    }
    await this.page.unroute(url);
    await this.followLinks(visited, name);
  }

  /** Asks for every address of the same site that the page links to, as its visitor; once, since many pages share them. */
  async followLinks(visited, name) {
    const links = await this.page.evaluate(() => [...document.querySelectorAll('a[href]')].map(({ href }) => href));
    const own = links.filter((link) => new URL(link).origin === new URL(visited.url()).origin);
    // A link from a mail works once, and may have. A place on the page itself is not asked for.
    const here = visited.url().split('#')[0];
    const wanted = (link) => link !== here && !this.followed.has(link) && !link.includes('token=');
    for (const link of own.map((link) => link.split('#')[0]).filter(wanted)) {
      this.followed.add(link);
      const answer = await visited.context().request.get(link);
      if (!answer.ok()) this.faults.push(`${name}: ${new URL(link).pathname} answers ${answer.status()}`);
    }
  }

  async judge(which) {
    const { violations, headings, overflow, language } = await this.page.evaluate(async (axe) => {
      if (!window.axe) (0, eval)(axe);
      const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
      return {
        violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
        headings: document.querySelectorAll('h1').length,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        language: document.documentElement.lang,
      };
    }, AXE);
    const say = (fault) => this.faults.push(`${which}: ${fault}`);
    violations.forEach(say);
    if (headings !== 1) say(`${headings} headings of the first rank`);
    if (overflow > 0) say(`${overflow} pixels too wide`);
    if (!language) say('no language');
  }

  async keepPicture(size, name) {
    const folder = process.env.WARDGATE_SCREENSHOTS;
    if (!folder) return;
    // WebP, which playwright does not make: a fifth of the bytes.
    const devtools = await this.page.context().newCDPSession(this.page);
    const { cssContentSize: { width, height } } = await devtools.send('Page.getLayoutMetrics');
    const { data } = await devtools.send('Page.captureScreenshot', {
      format: 'webp', quality: 70, captureBeyondViewport: true, clip: { x: 0, y: 0, width, height, scale: 1 },
    });
    await devtools.detach();
    fs.mkdirSync(path.join(folder, size), { recursive: true });
    fs.writeFileSync(path.join(folder, size, `${name}.webp`), Buffer.from(data, 'base64'));
  }
}
