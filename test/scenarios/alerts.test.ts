import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { eventually } from '../../src/testing/eventually.ts';
import { httpServer } from '../../src/testing/http-server.ts';
import { runWatchkeeper, Watchkeeper } from '../../src/testing/watchkeeper.ts';
import { Served } from './served.ts';

interface Told {
  readonly type: string;
  readonly data: { readonly subject: string; readonly state: string; readonly headline: string };
}

function configurationOf(shop: string, hook: string, more = ''): string {
  return `
monitors:
  - { name: shop, type: http, target: '${shop}/', interval: 1s }
notifiers:
  - { name: hook, kind: webhook, options: { url: '${hook}/' } }
${more}
`;
}

/** An agent on a busy machine calls itself late and has no vote meanwhile. */
const patienceMs = 240_000;

describe('from a failure to a message and back, as a person follows it', () => {
  test('status, incidents, incident, ack, silence, drill and availability', async () => {
    const told: Told[] = [];
    await using hook = await httpServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        told.push(JSON.parse(body) as Told);
        response.end();
      });
    });
    let isBroken = false;
    await using shop = await httpServer((_request, response) => response.writeHead(isBroken ? 500 : 200).end());
    await using server = await Served.start(configurationOf(shop.origin, hook.origin));
    const run = (...words: readonly string[]) => runWatchkeeper(server.words(...words));
    await eventually('all is up', async () => (await run('status')).code === 0, patienceMs);

    isBroken = true;
    await eventually('it is told', () => told.some(({ type }) => type === 'incident.problem'), patienceMs);
    assert.match(told[0]?.data.headline ?? '', /^DOWN shop: /);
    await eventually('status says so', async () => (await run('status')).code === 2, patienceMs);
    const taken = await run('ack', 'shop', '--by', 'Ana', '--note', 'on it');
    assert.match(taken.stdout, /^Ana has shop until /, taken.stderr);
    assert.match((await run('status')).stdout, /Ana/);
    const [incident] = (await run('incidents', '--json')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string });
    const shown = await run('incident', incident?.id.slice(0, 20) ?? '');
    assert.match(shown.stdout, /sent to hook: problem/, shown.stdout + shown.stderr);
    assert.match(shown.stdout, /taken by Ana: on it/);
    assert.match(
      (await run('silence', 'sho*', '--for', '1h', '--by', 'Ana', '--dry-run')).stdout,
      /1 monitor \(shop\)/,
    );
    assert.equal((await run('silence', 'none', '--for', '1h', '--by', 'Ana')).code, 3);

    isBroken = false;
    await eventually('the recovery is told', () => told.some(({ type }) => type === 'incident.recovery'), patienceMs);
    const ofShop = async (...words: readonly string[]) =>
      (await run('incidents', '--monitor', 'shop', ...words)).stdout;
    await eventually('status says so', async () => (await run('status')).code === 0, patienceMs);
    assert.match(await ofShop(), /^Nothing is open/);
    assert.match(await ofShop('--all'), /recovered +shop/);
    assert.match((await run('availability', '--since', '1h')).stdout, /shop +\d\d\.\d{3} %/);

    const same = await run('rehearse', join(server.folder, 'serve.yaml'), '--last', '10m');
    assert.match(same.stdout, /= .* hook +DOWN shop: /, same.stdout + same.stderr);
    const quiet = join(server.folder, 'quiet.yaml');
    const silence = "silences: [{ name: all, from: '2026-01-01T00:00:00Z', until: '2126-01-01T00:00:00Z' }]";
    await writeFile(quiet, configurationOf(shop.origin, hook.origin, silence));
    const other = JSON.parse((await run('rehearse', quiet, '--last', '10m', '--json')).stdout) as {
      readonly would: readonly { readonly kind: string | null }[];
      readonly did: readonly { readonly kind: string }[];
    };
    assert.ok(!other.would.some(({ kind }) => kind === 'problem'), 'it would have been silenced');
    assert.ok(other.did.some(({ kind }) => kind === 'problem'));

    const before = told.length;
    await using drill = new Watchkeeper(server.words('drill', 'shop'));
    const [, id = ''] = /watchkeeper ack ([\da-f-]{36})/.exec(await drill.until(/ack [\da-f-]{36}/)) ?? [];
    await drill.until(/hook has delivered it after /);
    assert.match((await run('ack', id, '--by', 'Ben')).stdout, /^Ben has the drill/);
    await drill.until(/Ben took it after /);
    assert.equal(await drill.end(), 0);
    assert.match(told[before]?.data.headline ?? '', /^DRILL: shop is not down/);
    assert.match(await ofShop(), /^Nothing is open/, 'nothing real was touched');
  });
});
