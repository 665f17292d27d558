import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plain } from './paint.ts';
import { widthOf } from './text.ts';
import { traceLines, type TraceRow } from './trace-view.ts';

const figures = { lastMs: 12_345.6, meanMs: 999.94, minMs: 0.012, maxMs: 12_345.6, stddevMs: 100.04 };
const long = 'a-router-with-a-long-name.core7.frankfurt.example.net (2001:db8:1234:5678:9abc:def0:1234:5678)';
const rows: readonly TraceRow[] = [
  { hop: 1, hosts: ['192.0.2.1'], sent: 99_999, lossPercent: 100 / 3, figures, error: undefined },
  { hop: 2, hosts: [], sent: 3, lossPercent: 100, figures: undefined, error: undefined },
  { hop: 12, hosts: [long, '\u001B[2J2001:db8::1'], sent: 3, lossPercent: 0, figures, error: 'host unreachable' },
];
const picture = { title: `Traceroute to ${long}`, remark: `${long} ${long}`, rows };

for (const columns of [80, 120, 200, 300]) {
  test(`CH4: the table of hops fits ${columns} columns`, () => {
    const lines = traceLines(picture, { columns, rows: 40 }, plain);
    for (const line of lines) assert.ok(widthOf(line) <= columns, line);
    const text = lines.join('\n');
    assert.match(text, / Loss% +Snt +Last +Avg +Best +Wrst +StDev\n/);
    assert.match(text, /^ 1\. 192\.0\.2\.1 +33\.3% +99999 +12346 +999\.9 +0\.01 +12346 +100\.0$/m);
    assert.match(text, /^ 2\. \(no answer yet\) +100\.0% +3 +- +- +- +- +-$/m);
    assert.ok(!text.includes('\u001B'));
  });
}

test('CH4: on a wide terminal a name and its address stand in one line', () => {
  const text = traceLines({ ...picture, rows: rows.slice(2) }, { columns: 200, rows: 40 }, plain).join('\n');
  assert.ok(text.includes(long.slice(0, 60)));
});

test('CH4: more hops than there are rows leave the titles on the screen', () => {
  const [row] = rows;
  assert.ok(row);
  const many = Array.from({ length: 60 }, (_, index) => ({ ...row, hop: index + 1 }));
  const lines = traceLines({ ...picture, rows: many }, { columns: 80, rows: 24 }, plain);
  assert.equal(lines.length, 24);
  assert.match(lines[3] ?? '', /Loss%/);
});
