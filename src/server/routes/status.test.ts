import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { missing } from '../../../test/peers/daemon.ts';
import { agentView, monitorSpec, ServerStatus } from '../../testing/server-status.ts';

function seriesOf(page: string, name: string): readonly string[] {
  return page.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

function labelsOf(agent: string): string {
  return `{monitor="web",type="tcp",target="web:80",agent="${agent}",agent_id="id of ${agent}"}`;
}

describe('/healthz', () => {
  test('SF5: is red when a monitor has no agent to run it, and names it', async () => {
    const status = new ServerStatus();
    await status.set({ agents: [], monitors: [monitorSpec('web', { intervalMs: 1000 })] });
    assert.deepEqual(await status.ask('/healthz'), [200]);
    await status.clock.advance(33_000);
    const silent = '1 of 1 wanted tasks bring no results: web, which no agent runs, for 33s';
    assert.deepEqual(await status.ask('/healthz'), [503, silent]);
    assert.deepEqual(await status.ask('/livez'), [200], 'the process itself lives');
    assert.deepEqual(await status.ask('/readyz'), [200], 'and takes results');
  });

  test('SF5: is red when the only agent is away since before the server started', async () => {
    const status = new ServerStatus();
    await status.set({ agents: [agentView('far', { status: 'offline' })], monitors: [monitorSpec('web')] });
    await status.clock.advance(50_000);
    assert.deepEqual(await status.ask('/healthz'), [200]);
    await status.clock.advance(2000);
    assert.deepEqual(await status.ask('/healthz'), [503, '1 of 1 wanted tasks bring no results: web on far for 52s']);
    status.result('web', 'far');
    await status.clock.advance(1000);
    assert.deepEqual(await status.ask('/healthz'), [200]);
  });

  test('SF5: is red beyond one silent task, or one in a hundred, whatever the others say', async () => {
    const status = new ServerStatus();
    const monitors = Array.from({ length: 300 }, (_, index) => monitorSpec(`m${index}`));
    await status.set({ agents: [agentView('a')], monitors });
    const silent = new Set(['m0', 'm1', 'm2']);
    for (let seconds = 0; seconds < 60; seconds += 10) {
      await status.clock.advance(10_000);
      for (const { name } of monitors) if (!silent.has(name)) status.result(name, 'a');
    }
    await status.clock.advance(1000);
    assert.deepEqual(await status.ask('/healthz'), [200], '3 of 300');
    silent.add('m3');
    for (let seconds = 0; seconds < 60; seconds += 10) {
      await status.clock.advance(10_000);
      for (const { name } of monitors) if (!silent.has(name)) status.result(name, 'a');
    }
    const [code, problem = ''] = await status.ask('/healthz');
    assert.equal(code, 503);
    assert.match(problem, /^4 of 300 wanted tasks bring no results: m0 on a for 121s, .*, m3 on a for 61s$/);
  });

  test('SF5: neither a paused monitor nor a slow one is silent before its time', async () => {
    const status = new ServerStatus();
    const paused = monitorSpec('paused', { paused: true, intervalMs: 1000 });
    await status.set({
      agents: [agentView('a')],
      monitors: [paused, monitorSpec('daily', { intervalMs: 86_400_000 })],
    });
    await status.clock.advance(86_400_000);
    assert.deepEqual(await status.ask('/healthz'), [200]);
    await status.set({ agents: [agentView('a')], monitors: [{ ...paused, paused: false }] });
    assert.deepEqual(await status.ask('/healthz'), [200], 'a resumed one has its time again');
    await status.clock.advance(40_000);
    assert.equal((await status.ask('/healthz'))[0], 503);
  });

  test('SF7: answers with 130,000 silent tasks', async () => {
    const status = new ServerStatus();
    const agents = Array.from({ length: 13 }, (_, index) => agentView(`a${index}`));
    const monitors = Array.from({ length: 10_000 }, (_, index) => monitorSpec(`m${index}`));
    await status.set({ agents, monitors });
    await status.clock.advance(60_000);
    const [code, problem = ''] = await status.ask('/healthz');
    assert.equal(code, 503);
    assert.match(problem, /^130000 of 130000 wanted tasks bring no results: .* and 129995 more$/);
  });

  test('is red while the store takes nothing, and so is /readyz', async () => {
    const status = new ServerStatus();
    status.health.noteStore('the disk is full');
    assert.deepEqual(await status.ask('/healthz'), [503, 'results are not being kept: the disk is full']);
    assert.equal((await status.ask('/readyz'))[0], 503);
    status.health.noteStore(undefined);
    assert.deepEqual(await status.ask('/healthz'), [200]);
    assert.deepEqual(await status.ask('/readyz'), [200]);
  });
});

describe('/metrics', () => {
  test('SF3: a monitor that was removed or paused, and an agent that is away or revoked, have no probe_success', async () => {
    const status = new ServerStatus();
    const monitors = [monitorSpec('gone'), monitorSpec('web')];
    await status.set({ agents: [agentView('a'), agentView('b')], monitors });
    for (const name of ['gone', 'web']) for (const agent of ['a', 'b']) status.result(name, agent);
    assert.equal(seriesOf(await status.metrics(), 'probe_success').length, 4);
    await status.set({
      agents: [agentView('a'), agentView('b', { status: 'offline' })],
      monitors: [monitorSpec('web')],
    });
    const page = await status.metrics();
    assert.deepEqual(seriesOf(page, 'probe_success'), [`probe_success${labelsOf('a')} 1`]);
    assert.deepEqual(seriesOf(page, 'watchkeeper_monitor_state'), [
      `watchkeeper_monitor_state${labelsOf('a')} 0`,
      `watchkeeper_monitor_state${labelsOf('b')} 3`,
    ]);
    assert.deepEqual(seriesOf(page, 'watchkeeper_agent_up'), [
      'watchkeeper_agent_up{agent="a",agent_id="id of a"} 1',
      'watchkeeper_agent_up{agent="b",agent_id="id of b"} 0',
    ]);
    assert.equal(seriesOf(page, 'watchkeeper_agent_queue_entries').length, 1, 'what an absent agent said last is old');
    await status.set({
      agents: [agentView('a'), agentView('b', { status: 'revoked' })],
      monitors: [monitorSpec('web')],
    });
    assert.doesNotMatch(await status.metrics(), /id of b/);
    await status.set({ agents: [agentView('a')], monitors: [monitorSpec('web', { paused: true })] });
    assert.doesNotMatch(await status.metrics(), /monitor="web"/);
  });

  test('SF3: a result that is too old, or unknown, is neither success nor failure', async () => {
    const status = new ServerStatus();
    await status.set({ agents: [agentView('a')], monitors: [monitorSpec('web'), monitorSpec('dns')] });
    status.result('web', 'a');
    status.result('dns', 'a', { status: 'unknown', reason: 'resolver-failed' });
    const page = await status.metrics();
    assert.equal(seriesOf(page, 'probe_success').length, 1);
    assert.match(page, /^watchkeeper_monitor_state\{monitor="dns",.*\} 3$/m);
    assert.match(page, /^watchkeeper_result_age_seconds\{monitor="web",.*\} 1$/m);
    await status.clock.advance(60_000);
    assert.equal(seriesOf(await status.metrics(), 'probe_success').length, 0);
  });

  test('a monitor that was paused does not show its old state when it is resumed', async () => {
    const status = new ServerStatus();
    const agents = [agentView('a')];
    await status.set({ agents, monitors: [monitorSpec('web')] });
    status.result('web', 'a');
    await status.set({ agents, monitors: [monitorSpec('web', { paused: true })] });
    await status.clock.advance(600_000);
    await status.set({ agents, monitors: [monitorSpec('web')] });
    assert.match(await status.metrics(), /^watchkeeper_monitor_state\{monitor="web",.*\} 3$/m);
    assert.deepEqual(await status.ask('/healthz'), [200], 'its first result has its time');
    status.result('web', 'a');
    await status.clock.advance(1000);
    assert.match(await status.metrics(), /^watchkeeper_monitor_state\{monitor="web",.*\} 0$/m);
  });

  test('SI9: the certificate, the HTTP status, clocks, the build and the process are there', async () => {
    const status = new ServerStatus();
    await status.set({
      agents: [agentView('a', { clockOffsetMs: 1500 })],
      monitors: [monitorSpec('web', { type: 'http', target: 'https://web' })],
    });
    const detail = { httpVersion: '1.1' };
    status.result('web', 'a', { detail, metrics: { statusCode: 404, certificateDaysLeft: 2 }, status: 'down' });
    const expiresAt = status.clock.now() / 1000 + 2 * 86_400;
    const page = await status.metrics();
    assert.match(page, /^probe_success\{.*\} 0$/m);
    assert.match(page, /^probe_http_status_code\{.*\} 404$/m);
    assert.match(page, new RegExp(`^probe_ssl_earliest_cert_expiry\\{.*\\} ${expiresAt}$`, 'm'));
    assert.match(page, /^watchkeeper_agent_clock_offset_seconds\{.*\} 1\.5$/m);
    assert.match(page, /^watchkeeper_build_info\{version="1",node="26[.\d]+"\} 1$/m);
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds'])
      assert.equal(seriesOf(page, name).length, 1, name);
  });

  test('SI9: promtool finds nothing to say about the page', { skip: missing('promtool') }, async () => {
    const status = new ServerStatus();
    const odd = monitorSpec('quote " back \\ line\nend', { type: 'http', target: 'https://web/?a=ü' });
    await status.set({ agents: [agentView('a'), agentView('b', { status: 'offline' })], monitors: [odd] });
    const metrics = { statusCode: 200, certificateDaysLeft: 2 };
    status.result(odd.name, 'a', { detail: { httpVersion: '2' }, metrics });
    const page = await status.metrics();
    assert.equal(seriesOf(page, 'probe_success').length, 1);
    const {
      status: code,
      stdout,
      stderr,
    } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
  });

  test('SF3: the alerts of deploy/ are rules that promtool takes', { skip: missing('promtool') }, () => {
    const file = new URL('../../../deploy/prometheus-rules.yml', import.meta.url).pathname;
    const { status, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });

  test('AT2: a page is made once a second, and is the same bytes for all who ask meanwhile', async () => {
    const status = new ServerStatus();
    const pages = await Promise.all(
      Array.from({ length: 3 }, async () => await (await status.app.request('/metrics')).text()),
    );
    assert.equal(new Set(pages).size, 1);
    assert.notEqual(await status.metrics(), pages[0]);
  });
});
