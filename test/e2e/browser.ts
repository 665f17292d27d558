import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Why there is no browser for the tests; undefined where there is one. */
export const noBrowser: string | undefined = existsSync(executablePath) ? undefined : `${executablePath} is not there`;

/** A browser of Debian, and what went wrong on its pages. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;
  /** What pages said that a person should never make them say. */
  readonly faults: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async open(): Promise<TestBrowser> {
    return new TestBrowser(await chromium.launch({ executablePath, args: ['--no-sandbox'] }));
  }

  async page(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await this.#browser.newContext({ locale: 'en-GB', ...options });
    return await this.pageIn(context);
  }

  async pageIn(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', ({ message }) => this.faults.push(message));
    page.on('console', (message) => {
      // A request without a session is how the page finds out that nobody is signed in.
      if (message.type() === 'error' && !/ 401 /.test(message.text())) this.faults.push(message.text());
    });
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}
