import { printable } from '../core/printable.ts';
import type { Peer, PeerClass, TrafficInterface } from '../core/record.ts';
import {
  cellsOf,
  formatRow,
  interfaceTitle,
  peerLines,
  rowWidth,
  tableTitle,
  type TrafficColumn,
  type PeerLine,
  type RateUnit,
} from '../records/traffic-text.ts';
import type { Paint, Style } from './paint.ts';
import type { ScreenSize } from './screen.ts';
import { clip } from './text.ts';
import { counted } from './units.ts';

/** The network traffic of this moment. */
export interface TrafficPicture {
  readonly interfaces: readonly TrafficInterface[];
  /** In order, from the first shown: as many as there may be room for. */
  readonly peers: readonly Peer[];
  /** How many peers stand before them. */
  readonly first: number;
  /** The number of all peers, and their traffic together. */
  readonly all: Pick<Peer, 'wire' | 'rate2' | 'rate10' | 'rate40'> & { readonly peers: number };
  /** Other events, the newest last. */
  readonly notices: readonly TrafficNotice[];
  readonly order: string;
  readonly unit: RateUnit;
  /** Shown beside each peer, if it is there. */
  readonly servicesOf?: (address: string) => readonly string[];
  /** Takes the place of the peers. */
  readonly help?: readonly string[];
  /** What the keys have set: `frozen`, a filter; may be empty. */
  readonly state: string;
}

export interface TrafficNotice {
  readonly text: string;
  readonly isAlarm: boolean;
}

const styleOfClass: Readonly<Record<PeerClass, Style>> = { intranet: 'yellow', internet: 'cyan', multicast: 'dim' };
/** A screen with fewer rows has room for one interface and two notices only. */
const lowScreenRows = 30;
/** Titles, totals, and how many there are. */
const fixedRows = 4;
const minHostWidth = 24;

/** The picture as lines that fit the screen. */
export function trafficLines(picture: TrafficPicture, size: ScreenSize, paint: Paint): readonly string[] {
  const { all, unit } = picture;
  const { columns, rows } = size;
  const isLow = rows < lowScreenRows;
  const interfaces = picture.interfaces.slice(0, isLow ? 1 : 3);
  const notices = picture.notices.slice(isLow ? -2 : -4);
  const room = rows - fixedRows - interfaces.length - notices.length;
  const shown = columnsFor(columns);
  const hostWidth = columns - rowWidth(shown);
  const line = (text: string, style?: Style): string => {
    const fitting = clip(text, columns);
    return style ? paint(style, fitting) : fitting;
  };
  const peers = picture.peers.slice(0, Math.max(1, Math.floor(room / 2)));
  const table =
    picture.help?.slice(0, room) ?? peers.flatMap((peer, index) => rowsOf(peer, index, { picture, shown, hostWidth }));
  const totals = (['sent', 'received'] as const).map((way, index) =>
    formatRow('', totalLine(way, cellsOf(all, index === 0 ? 0 : 1, { unit, columns: shown })), hostWidth),
  );
  return [
    ...interfaces.map((each) => line(printable(titleOf(each)), 'bold')),
    line(tableTitle(hostWidth, shown), 'dim'),
    ...table.map((row, index) => line(row, picture.help || index % 2 === 1 ? undefined : styleOf(peers[index / 2]))),
    ...totals.map((total) => line(total, 'bold')),
    line(footerOf(picture, peers.length), 'dim'),
    ...notices.map(({ text, isAlarm }) => line(text, isAlarm ? 'red' : 'yellow')),
  ];
}

/** All columns where the host still has room beside them; at least what passes now and what there was. */
function columnsFor(width: number): readonly TrafficColumn[] {
  const choices: readonly (readonly TrafficColumn[])[] = [
    ['rate2', 'rate10', 'rate40', 'wire'],
    ['rate2', 'rate40', 'wire'],
    ['rate2', 'wire'],
  ];
  return choices.find((columns) => width - rowWidth(columns) >= minHostWidth) ?? ['rate2', 'wire'];
}

interface RowLayout {
  readonly picture: TrafficPicture;
  readonly shown: readonly TrafficColumn[];
  readonly hostWidth: number;
}

function rowsOf(peer: Peer, index: number, { picture, shown, hostWidth }: RowLayout): readonly string[] {
  const { unit, first, servicesOf } = picture;
  const [sent, received] = peerLines(peer, { unit, columns: shown });
  const services = servicesOf?.(peer.address) ?? [];
  const known = servicesOf && { ...received, host: services.length > 0 ? services.join(' ') : 'no service seen' };
  return [formatRow(String(first + index + 1), sent, hostWidth), formatRow('', known ?? received, hostWidth)];
}

function styleOf(peer: Peer | undefined): Style | undefined {
  return peer && styleOfClass[peer.class];
}

/** One address has room. */
function titleOf(each: TrafficInterface): string {
  return interfaceTitle({ ...each, addresses: each.addresses.slice(0, 1) });
}

function totalLine(way: 'sent' | 'received', cells: readonly string[]): PeerLine {
  return { host: `all, ${way}`, arrow: way === 'sent' ? '=>' : '<=', cells };
}

/** What cannot be left out comes first: a narrow screen cuts the end. */
function footerOf({ all, first, order, state }: TrafficPicture, shown: number): string {
  const count = counted(all.peers, 'peer');
  const part = shown < all.peers ? `${count}, ${first + 1} to ${first + shown} shown` : count;
  return ['q ends, ? keys', ...(state === '' ? [] : [state]), part, `most ${order} first`].join('; ');
}
