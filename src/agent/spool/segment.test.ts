import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatVersion,
  headerBytes,
  readHeader,
  readRecords,
  writeHeader,
  writeRecord,
  type StoredRecord,
} from './segment.ts';

const jsons = fc.array(fc.json({ maxDepth: 2 }), { minLength: 1, maxLength: 30 });

function segmentOf(jsons: readonly string[]): { readonly bytes: Buffer; readonly records: readonly StoredRecord[] } {
  const bytes = Buffer.alloc(64 * 1024);
  writeHeader(bytes, { version: formatVersion, epoch: 7, first: 100 });
  const records: StoredRecord[] = [];
  for (const [index, json] of jsons.entries()) {
    const record = {
      seq: 100 + index,
      at: 1_700_000_000_000 + index,
      droppable: index % 2 === 0,
      isGap: index % 3 === 0,
      json,
    };
    records.push(writeRecord(bytes, records.at(-1)?.end ?? headerBytes, record));
  }
  return { bytes: bytes.subarray(0, records.at(-1)?.end), records };
}

describe('a segment', () => {
  test('gives back every record it was written with', () => {
    fc.assert(
      fc.property(jsons, (jsons) => {
        const { bytes, records } = segmentOf(jsons);
        assert.deepEqual(readRecords(bytes, 100), records);
        assert.deepEqual(
          records.map(({ start, end }) => bytes.toString('utf8', start, end)),
          jsons,
        );
      }),
    );
  });

  test('gives back a header, plain or sparse', () => {
    const bytes = Buffer.alloc(headerBytes);
    for (const header of [
      { version: 1, epoch: 1_838_342_413_526_201, first: 1 },
      { version: 2, epoch: 5, first: 2 ** 40, sparse: { last: 2 ** 41, count: 3 } },
    ]) {
      writeHeader(bytes, header);
      assert.deepEqual(readHeader(bytes), header);
    }
  });

  // D6: a campaign of flips; no wrong record is accepted, and no more is lost than what was touched.
  test('D6: loses one record to one flipped bit, and never gives a wrong one', () => {
    fc.assert(
      fc.property(jsons, fc.nat(), (jsons, flip) => {
        const { bytes, records } = segmentOf(jsons);
        const bit = flip % ((bytes.length - headerBytes) * 8);
        const index = headerBytes + (bit >> 3);
        bytes[index] = (bytes[index] ?? 0) ^ (1 << (bit & 7));
        const hit = records.findIndex(({ end }) => index < end);
        assert.deepEqual(readRecords(bytes, 100), records.toSpliced(hit, 1));
      }),
      { numRuns: 10_000 },
    );
  });

  test('D6: a cut or zeroed end costs only what is gone', () => {
    fc.assert(
      fc.property(jsons, fc.nat(), fc.boolean(), (jsons, cut, isZeroed) => {
        const { bytes, records } = segmentOf(jsons);
        const end = headerBytes + (cut % (bytes.length - headerBytes + 1));
        const damaged = isZeroed ? Buffer.concat([bytes.subarray(0, end)], bytes.length) : bytes.subarray(0, end);
        const whole = records.filter((record) => record.end <= end);
        assert.deepEqual(readRecords(damaged, 100).slice(0, whole.length), whole);
        assert.ok(readRecords(damaged, 100).length <= whole.length + 1);
      }),
      { numRuns: 2000 },
    );
  });

  test('a damaged header is no header', () => {
    const bytes = Buffer.alloc(headerBytes);
    writeHeader(bytes, { version: 1, epoch: 9, first: 1 });
    for (let bit = 0; bit < headerBytes * 8; bit++) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(readHeader(damaged), undefined, `bit ${bit}`);
    }
    assert.equal(readHeader(bytes.subarray(0, 20)), undefined);
  });

  test('garbage is read in bounded time and holds nothing', () => {
    const before = process.threadCpuUsage();
    for (const filler of [0x00, 0xff, 0x41]) assert.deepEqual(readRecords(Buffer.alloc(1024 * 1024, filler), 1), []);
    assert.ok(process.threadCpuUsage(before).user < 5_000_000);
  });
});
