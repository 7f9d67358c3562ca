/** A TLS connection through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), then the handshake with the collector. */

import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { LIMITS } from '../base/limits.ts';

/** Lets `secure` shake hands over a tunnel through `proxy` to `authority`, which is `host:port`. */
export function tunnelled(proxy: URL, authority: string, secure: buildConnector.connector): buildConnector.connector {
  return (options, callback) => {
    openTunnel(proxy, authority, (error, httpSocket) => {
      if (httpSocket === null) callback(error, null);
      else secure({ ...options, httpSocket }, callback);
    });
  };
}

/** Hands over the tunnel, or what kept the proxy from opening it within `LIMITS.pushTimeoutMs`; once. */
function openTunnel(proxy: URL, authority: string, done: (...outcome: [null, Socket] | [Error, null]) => void): void {
  const asking = request(proxy, { method: 'CONNECT', path: authority, headers: { host: authority }, agent: false });
  const tooLate = setTimeout(
    () => asking.destroy(new Error(`the proxy ${proxy.host} does not answer`)),
    LIMITS.pushTimeoutMs,
  );
  asking.once('error', (error) => {
    clearTimeout(tooLate);
    done(error, null);
  });
  asking.once('connect', ({ statusCode = 0 }, socket: Socket) => {
    clearTimeout(tooLate);
    if (statusCode >= 200 && statusCode < 300) {
      done(null, socket);
      return;
    }
    socket.destroy();
    done(new Error(`the proxy ${proxy.host} answers ${statusCode} to CONNECT ${authority}`), null);
  });
  asking.end();
}
