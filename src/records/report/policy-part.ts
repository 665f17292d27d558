import { html, type Markup } from './markup.ts';
import type { SessionReport } from './session-report.ts';

type Policy = SessionReport['session']['policy'];

/** The policy that was in force, in words. */
export function policyPart({ session }: SessionReport): Markup {
  const { policy } = session;
  const { name, by, purpose, sensors } = policy;
  const devices = listIn(policy, 'usb', 'known');
  const allowed = listIn(policy, 'traffic', 'allow');
  const forbidden = listIn(policy, 'traffic', 'forbid');
  return html`<h2>Policy in force</h2>
    <dl>
      <dt>Policy</dt>
      <dd>${name}</dd>
      <dt>Collected by</dt>
      <dd>${by}</dd>
      <dt>Purpose</dt>
      <dd>${purpose ?? 'not stated'}</dd>
      <dt>Watched</dt>
      <dd>${sensors.map(({ sensor }) => sensor).join(', ')}</dd>
      <dt>Allowed USB devices</dt>
      <dd>${devices ?? 'none named'}</dd>
      <dt>Other devices with data</dt>
      <dd>are ${strictnessWord(policy.otherDevices)} when they are plugged in or mounted</dd>
      <dt>Allowed hosts</dt>
      <dd>${allowed ?? 'none named'}; the server, and the gateway and DNS servers that the machine had at the start</dd>
      <dt>Forbidden hosts</dt>
      <dd>${forbidden ?? 'none'}</dd>
      <dt>Other hosts</dt>
      <dd>
        ${policy.otherPeers === 'alarm' ? 'are an alarm: nothing but the allowed hosts' : 'of the local network are a notice; of the internet they are recorded'}
      </dd>
    </dl>`;
}

function strictnessWord(strictness: Policy['otherDevices']): string {
  return strictness === 'alarm' ? 'an alarm' : 'a notice';
}

/** As text; undefined where there is none. */
function listIn({ sensors }: Policy, sensor: string, key: string): string | undefined {
  const list = sensors.find((each) => each.sensor === sensor)?.options[key];
  return Array.isArray(list) && list.length > 0 ? list.map(String).join(', ') : undefined;
}
