import { createHash } from 'node:crypto';
import { html, Markup } from './markup.ts';
import { policyPart } from './policy-part.ts';
import { reportStyle } from './report-style.ts';
import { lengthText, ReportTimes } from './report-times.ts';
import {
  seatVerdict,
  type ReportedNotice,
  type ReportedSeat,
  type SeatVerdict,
  type SessionReport,
} from './session-report.ts';
import { blindTimes, timeline } from './timeline.ts';

const verdictWord: Readonly<Record<SeatVerdict, string>> = {
  alarm: 'ALARM',
  absent: 'NO RECORD',
  gap: 'GAP',
  notice: 'NOTICE',
  clear: 'clear',
};
const gravest: readonly SeatVerdict[] = ['alarm', 'absent', 'gap', 'notice', 'clear'];

interface Page {
  readonly report: SessionReport;
  readonly times: ReportTimes;
  readonly period: { readonly from: number; readonly to: number };
}

/** The report as a page that stands alone: for print, without scripts and without a request to anywhere. */
export function reportPage(report: SessionReport): string {
  const times = new ReportTimes(report.zone);
  const { startedAt, endedAt = report.madeAt } = report.session;
  const page: Page = { report, times, period: { from: Date.parse(startedAt), to: Date.parse(endedAt) } };
  const style = createHash('sha256').update(reportStyle).digest('base64');
  const title = `${report.session.policy.name} in ${report.session.room}, ${times.day(startedAt)}`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${style}'" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        <style>
          ${new Markup(reportStyle)}
        </style>
      </head>
      <body>
        ${head(page)} ${looksPart(page)} ${overview(page)} ${policyPart(report)} ${foot(page)}
      </body>
    </html> `.text;
}

function head({ report, times, period }: Page): Markup {
  const { session, seats } = report;
  const { room, policy, startedAt, startedBy, endedAt, endedBy } = session;
  const end = endedAt === undefined ? 'lasts still' : endedBy === undefined ? 'ended as agreed' : `ended by ${endedBy}`;
  const purpose = policy.purpose === undefined ? '' : ` · ${policy.purpose}`;
  return html`<header>
      <p class="over">Session report · ${policy.by}</p>
      <h1>${policy.name} in ${room}</h1>
      <p class="dim">
        ${times.day(startedAt)}, ${times.minute(startedAt)} to ${times.minute(endedAt ?? report.madeAt)}
        (${lengthText(period.to - period.from)}), times of ${times.zone}${purpose}<br />Started by ${startedBy}; ${end}.
      </p>
    </header>
    ${figures(seats, report.notices)}
    <p class="sum">${summary(seats)}</p>`;
}

function figures(seats: readonly ReportedSeat[], ofRoom: readonly ReportedNotice[]): Markup {
  const notices = [...seats.flatMap((seat) => seat.notices), ...ofRoom];
  const alarms = notices.filter(({ severity }) => severity === 'alarm');
  const looked = notices.filter(({ acknowledged }) => acknowledged).length;
  const blindMs = seats.flatMap(({ sensors }) => blindTimes(sensors)).reduce((sum, { from, to }) => sum + to - from, 0);
  const withGaps = seats.filter(({ sensors }) => sensors.some(({ blind }) => blind.length > 0)).length;
  const clear = seats.filter((seat) => seatVerdict(seat) === 'clear').length;
  return html`<ul class="facts">
    <li><b>${seats.length}</b><span>seats, ${seats.filter(isPresent).length} with records</span></li>
    <li class="clear"><b>${clear}</b><span>seats without anything to look at</span></li>
    <li class="${alarms.length > 0 ? 'alarm' : ''}">
      <b>${alarms.length}</b><span>alarms, and ${notices.length - alarms.length} notices</span>
    </li>
    <li class="${withGaps > 0 ? 'gap' : ''}">
      <b>${withGaps}</b><span>seats with time not watched, ${lengthText(blindMs)} in all</span>
    </li>
    <li><b>${looked} / ${notices.length}</b><span>alarms and notices that somebody looked at</span></li>
  </ul>`;
}

function isPresent({ sensors }: ReportedSeat): boolean {
  return sensors.some(({ records }) => records > 0);
}

function summary(seats: readonly ReportedSeat[]): string {
  const of = (wanted: SeatVerdict): readonly ReportedSeat[] => seats.filter((seat) => seatVerdict(seat) === wanted);
  const clear = of('clear').length;
  const rest = [
    [of('alarm'), 'with alarms'],
    [of('gap'), 'with time in which nobody watched'],
    [of('absent'), 'without any record'],
    [of('notice'), 'with notices'],
  ] as const;
  const words = rest.filter(([found]) => found.length > 0).map(([found, what]) => `${namesOf(found)} ${what}`);
  const first = `${clear} of ${seats.length} seats were watched throughout, and nothing was noticed there.`;
  return words.length === 0 ? first : `${first} To be looked at: ${words.join('; ')}.`;
}

const maxNamed = 12;

function namesOf(seats: readonly ReportedSeat[]): string {
  const names = seats.slice(0, maxNamed).map(({ name }) => name);
  const more = seats.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}

/** Each seat that is not clear, the gravest first. */
function looksPart(page: Page): Markup {
  const { report } = page;
  const seats = report.seats
    .filter((seat) => seatVerdict(seat) !== 'clear')
    .toSorted((a, b) => gravest.indexOf(seatVerdict(a)) - gravest.indexOf(seatVerdict(b)));
  const ofRoom =
    report.notices.length === 0
      ? []
      : [
          html`<h3>The room</h3>
            ${noticeTable(report.notices, page)}`,
        ];
  if (seats.length === 0 && ofRoom.length === 0)
    return html`<h2>What was noticed</h2>
      <p>Nothing.</p>`;
  return html`<h2>What was noticed</h2>
    <p class="dim">
      A notice says what a machine saw, and when. It does not say who sat there, nor why: that is for a person to judge.
    </p>
    ${ofRoom}${seats.map((seat) => seatPart(seat, page))}`;
}

function seatPart(seat: ReportedSeat, page: Page): Markup {
  const place = seat.place === undefined ? html`` : html`<span class="dim">${seat.place}</span>`;
  const table = seat.notices.length === 0 ? html`` : noticeTable(seat.notices, page);
  return html`<section class="seat">
    <h3>${seat.name} ${place} ${mark(seat)}</h3>
    ${table}${gapList(seat, page)}
  </section>`;
}

function mark(seat: ReportedSeat): Markup {
  const verdict = seatVerdict(seat);
  return html`<span class="mark ${verdict}">${verdictWord[verdict]}</span>`;
}

function noticeTable(notices: readonly ReportedNotice[], { times }: Page): Markup {
  const rows = notices
    .toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .map(
      (notice) =>
        html`<tr>
          <td class="t">${times.clock(notice.at)}</td>
          <td>${notice.severity}</td>
          <td>${notice.text}${repeated(notice, times)}</td>
          <td>${seenBy(notice, times)}</td>
        </tr>`,
    );
  return html`<table>
    <thead>
      <tr>
        <th class="w12">Time</th>
        <th class="w10">Kind</th>
        <th>What was seen</th>
        <th class="w30">Who looked</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

function repeated({ count, lastAt }: ReportedNotice, times: ReportTimes): string {
  return count === 1 ? '' : ` (${count} times, last at ${times.clock(lastAt)})`;
}

function seenBy({ acknowledged }: ReportedNotice, times: ReportTimes): Markup {
  if (!acknowledged) return html`<span class="unseen">nobody yet</span>`;
  const note = acknowledged.note === '' ? '' : `: ${acknowledged.note}`;
  return html`<span class="seen">${acknowledged.by}, ${times.clock(acknowledged.at)}</span>${note}`;
}

/** Of more times only the number is told here; report.json has them all. */
const maxTimes = 20;

function gapList({ sensors }: ReportedSeat, { times }: Page): Markup {
  const gaps = sensors.flatMap(({ sensor, blind }) => blind.map((time) => ({ ...time, sensor })));
  const told = Map.groupBy(gaps, ({ from, to, why }) => `${from} ${to} ${why}`);
  const lines = Array.from(told.values(), (same) => {
    const [{ from, to, why } = { from: '', to: '', why: '' }] = same;
    const length = lengthText(Date.parse(to) - Date.parse(from));
    const which = same.map(({ sensor }) => sensor).join(', ');
    return html`<li>Not watched ${times.clock(from)} to ${times.clock(to)} (${length}; ${which}): ${why}.</li>`;
  });
  const losses = sensors.flatMap(({ sensor, lost }) => lost.map((what) => html`<li>Lost (${sensor}): ${what}.</li>`));
  const all = [...lines, ...losses];
  if (all.length === 0) return html``;
  const more = all.length > maxTimes ? [html`<li>and ${all.length - maxTimes} more.</li>`] : [];
  return html`<ul class="plain">
    ${[...all.slice(0, maxTimes), ...more]}
  </ul>`;
}

function overview({ report, times, period }: Page): Markup {
  const rows = report.seats.map((seat) => {
    const blindMs = blindTimes(seat.sensors).reduce((sum, { from, to }) => sum + to - from, 0);
    const share = 100 * (1 - blindMs / Math.max(1, period.to - period.from));
    const alarms = seat.notices.filter(({ severity }) => severity === 'alarm').length;
    return html`<tr>
      <td>${seat.name}</td>
      <td>${seat.place ?? '-'}</td>
      <td>${timeline(seat, period)}</td>
      <td class="n">${percent(share)}</td>
      <td class="n">${alarms}</td>
      <td class="n">${seat.notices.length - alarms}</td>
      <td>${mark(seat)}</td>
    </tr>`;
  });
  return html`<h2>Every seat</h2>
    <p class="dim">
      The bar is the session, from ${times.minute(new Date(period.from).toISOString())} to
      ${times.minute(new Date(period.to).toISOString())}: filled where every sensor watched, empty where one did not; a
      line for each alarm and notice.
    </p>
    <table>
      <thead>
        <tr>
          <th class="w14">Seat</th>
          <th class="w17">Place</th>
          <th>Course</th>
          <th class="n w10">Watched</th>
          <th class="n w8">Alarms</th>
          <th class="n w8">Notices</th>
          <th class="w14"></th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>`;
}

/** Never rounded up to a whole. */
function percent(share: number): string {
  return share >= 100 ? '100 %' : `${(Math.floor(share * 10) / 10).toFixed(1)} %`;
}

function foot({ report, times }: Page): Markup {
  return html`<footer>
    <h2>What this report rests on</h2>
    <p>
      Each seat's records are in the folder of this report (<code>seats/</code>), sealed by its agent and linked one to
      the next. The server signed this page, <code>report.json</code> and the list of those records on
      ${times.full(report.madeAt)}. Whoever has the folder verifies all of it, offline:
    </p>
    <p><code>watchkeeper verify FOLDER --pin ${report.pin}</code></p>
    <p>
      It proves what the agents told the server, and that nothing was changed since. It does not prove who sat at a
      machine, nor that nothing happened while nobody watched. A name beside an address is no proof of who it was.
      <code>docs/evidence.md</code> says against whom it holds.
    </p>
    <p class="dim">Session ${report.session.id} · server ${report.serverId} · Watchkeeper ${report.version}</p>
    <div class="sign">
      <div>Place, date</div>
      <div>Signature</div>
    </div>
  </footer>`;
}
