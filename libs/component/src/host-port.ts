/** `host:port`, the address of IPv6 in brackets (Go net.JoinHostPort). */
export const joinHostPort = (host: string, port: number | string): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
