import { printable } from '../core/printable.ts';
import type { Peer, PeerClass, TrafficInterface } from '../core/record.ts';
import {
  formatBits,
  formatBytes,
  formatRow,
  interfaceTitle,
  peerLines,
  rowWidth,
  tableTitle,
  type PeerLine,
} from '../records/traffic-text.ts';
import type { Paint, Style } from './paint.ts';
import type { ScreenSize } from './screen.ts';
import { clip } from './text.ts';
import { counted } from './units.ts';

/** The network traffic of this moment. */
export interface TrafficPicture {
  readonly interfaces: readonly TrafficInterface[];
  /** The first of them, in order: as many as there may be room for. */
  readonly peers: readonly Peer[];
  /** The number of all peers, and their traffic together. */
  readonly all: Pick<Peer, 'wire' | 'rate2' | 'rate10' | 'rate40'> & { readonly peers: number };
  /** Other events, the newest last. */
  readonly notices: readonly TrafficNotice[];
  readonly order: string;
}

export interface TrafficNotice {
  readonly text: string;
  readonly isAlarm: boolean;
}

const styleOfClass: Readonly<Record<PeerClass, Style>> = { intranet: 'yellow', internet: 'cyan', multicast: 'dim' };
const maxInterfaces = 3;
const maxNotices = 4;
/** Titles, totals, and how many there are. */
const fixedRows = 4;
const minHostWidth = 12;

/** The picture as lines that fit the screen. */
export function trafficLines(picture: TrafficPicture, size: ScreenSize, paint: Paint): readonly string[] {
  const { all, order } = picture;
  const { columns } = size;
  const interfaces = picture.interfaces.slice(0, maxInterfaces);
  const notices = picture.notices.slice(-maxNotices);
  const room = size.rows - fixedRows - interfaces.length - notices.length;
  const peers = picture.peers.slice(0, Math.max(1, Math.floor(room / 2)));
  const hostWidth = Math.max(minHostWidth, columns - rowWidth);
  const line = (text: string, style?: Style): string => {
    const shown = clip(text, columns);
    return style ? paint(style, shown) : shown;
  };
  const rows = peers.flatMap((peer, index) => {
    const [sent, received] = peerLines(peer);
    return [
      line(formatRow(String(index + 1), sent, hostWidth), styleOfClass[peer.class]),
      line(formatRow('', received, hostWidth)),
    ];
  });
  const count = counted(all.peers, 'peer');
  const shown = peers.length < all.peers ? `${count}, ${peers.length} shown` : count;
  return [
    ...interfaces.map((each) => line(printable(titleOf(each)), 'bold')),
    line(tableTitle(hostWidth), 'dim'),
    ...rows,
    ...totals(all).map((total) => line(formatRow('', total, hostWidth), 'bold')),
    line(`${shown}, those with the most ${order} first; Ctrl-C ends`, 'dim'),
    ...notices.map(({ text, isAlarm }) => line(text, isAlarm ? 'red' : 'yellow')),
  ];
}

/** One address has room. */
function titleOf(each: TrafficInterface): string {
  return interfaceTitle({ ...each, addresses: each.addresses.slice(0, 1) });
}

function totals(all: TrafficPicture['all']): readonly PeerLine[] {
  const cells = (way: 0 | 1): readonly string[] => [
    ...[all.rate2, all.rate10, all.rate40].map((rate) => formatBits(rate[way])),
    formatBytes(all.wire[way]),
  ];
  return [
    { host: 'all, sent', arrow: '=>', cells: cells(0) },
    { host: 'all, received', arrow: '<=', cells: cells(1) },
  ];
}
