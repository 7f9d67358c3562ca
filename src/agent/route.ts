/** The way to a collector: straight or through a proxy, and by whose certificates. */

import type { Dispatcher } from 'undici';
// A file instead of the front door, which also loads fetch, WebSocket and caches: 6 MB that no agent ever uses.
import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import { LIMITS } from '../base/limits.ts';
import type { TlsMaterial } from '../config/tls-files.ts';
import { tunnelled } from './proxy-tunnel.ts';

export interface Endpoint {
  /** Where the collector is, with the path that a proxy before it may put before ours. */
  url: string;
  tls: TlsMaterial;
  /** `http://host:port` of an HTTP proxy, or null. */
  proxy: string | null;
}

export interface Route {
  dispatcher: Dispatcher;
  /** What the paths of requests begin with: through a proxy that reads along, the whole URL. */
  prefix: string;
  /** The collector's own, which is not always whom the dispatcher is connected to. */
  host: string;
}

/** Connections are opened when they are needed: one for each document that is under way. */
export function openRoute({ url, tls: { ca, client }, proxy }: Endpoint): Route {
  const { protocol, origin, host, hostname, port, pathname } = new URL(url);
  const path = pathname.replace(/\/+$/, '');
  const settings = {
    connections: 1 + LIMITS.pushBacklogWidthMax,
    headersTimeout: LIMITS.pushTimeoutMs,
    bodyTimeout: LIMITS.pushTimeoutMs,
  };
  const connect = { timeout: LIMITS.pushTimeoutMs, ...(ca === null ? {} : { ca }), ...client };
  if (proxy === null) return { dispatcher: new Pool(origin, { ...settings, connect }), prefix: path, host };
  if (protocol === 'http:') {
    return { dispatcher: new Pool(proxy, { ...settings, connect }), prefix: `${origin}${path}`, host };
  }
  const authority = `${hostname}:${port === '' ? 443 : port}`;
  const tunnel = tunnelled(new URL(proxy), authority, buildConnector(connect));
  return { dispatcher: new Pool(origin, { ...settings, connect: tunnel }), prefix: path, host };
}
