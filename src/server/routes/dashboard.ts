import type { Context, Hono } from 'hono';

/** A file that browsers load. */
export interface DashboardFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same, compressed with Brotli; absent where that is not worth it. */
  readonly brotli: Uint8Array<ArrayBuffer> | undefined;
}

/** What browsers load, by its path; `/index.html` is every page. */
export type DashboardFiles = ReadonlyMap<string, DashboardFile>;

/** Pages that the dashboard draws; what stands behind the first word is its own. */
const pages = ['', 'monitors', 'agents', 'incidents', 'notices', 'rooms'] as const;

/** Nothing runs or is loaded that is not this server's own file, and no text becomes markup (CSP 3, Trusted Types). */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const pageHeaders = {
  'Content-Security-Policy': policy,
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
};

/** The names of assets change with what is in them. */
const assetHeaders = { 'Cache-Control': 'public, max-age=31536000, immutable' };

/** The dashboard: one page for every path of its own, and what it loads. */
export function addDashboard(app: Hono, files: DashboardFiles): void {
  const page = files.get('/index.html');
  if (page)
    for (const name of pages)
      for (const path of [`/${name}`, ...(name === '' ? [] : [`/${name}/*`])])
        app.get(path, (context) => send(context, page, pageHeaders));
  for (const [path, file] of files)
    if (path.startsWith('/assets/')) app.get(path, (context) => send(context, file, assetHeaders));
}

function send(
  context: Context,
  { type, bytes, brotli }: DashboardFile,
  headers: Readonly<Record<string, string>>,
): Response {
  const compressed = /\bbr\b/.test(context.req.header('accept-encoding') ?? '') ? brotli : undefined;
  return context.body(compressed ?? bytes, 200, {
    ...headers,
    'Content-Type': type,
    Vary: 'Accept-Encoding',
    ...(compressed && { 'Content-Encoding': 'br' }),
  });
}
