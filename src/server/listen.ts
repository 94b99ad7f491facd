// Listening: the socket, or one line that says why not and what to do.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cannotListen } from './refusals.ts';

/** The port, which is the one asked for unless that was 0. Rejects with a HeadgateError. */
export function listen(http: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(cannotListen(error, host, port));
    http.once('error', onError);
    http.listen(port, host, () => {
      http.off('error', onError);
      resolve((http.address() as AddressInfo).port);
    });
  });
}

/** `http://127.0.0.1:4000`, with brackets where the host is an IPv6 address. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
