import { lookup } from 'node:dns/promises';
import type { Agnhost } from '../agnhost.js';
import { textOf } from '../agnhost.js';
import { hostPort, httpError, httpGet, json } from '../http.js';
import type { Exchange, Reply } from '../http.js';
import { askUdp } from '../udp.js';

const TIMEOUT_MS = 5_000;

interface Target {
  readonly address: string;
  readonly port: number;
}

type Dialer = (host: Agnhost, target: Target, request: string) => Promise<string>;

const dialHttp: Dialer = async (_host, { address, port }, request) =>
  (await httpGet(`http://${hostPort(address, port)}/${request}`, { timeoutMs: TIMEOUT_MS })).body;

const dialUdp: Dialer = (host, target, request) => askUdp(host, target, request, TIMEOUT_MS);

const DIALERS: Readonly<Record<string, Dialer>> = { '': dialHttp, http: dialHttp, udp: dialUdp };

/** `/dial`: asks another server, over HTTP or UDP, as often as `tries` says. */
export async function dial(host: Agnhost, { query }: Exchange): Promise<Reply> {
  const value = (name: string): string => query.get(name) ?? '';
  const request = value('request');
  const tries = value('tries') === '' ? 1 : Number(value('tries'));
  host.log(
    `GET /dial?host=${value('host')}&protocol=${value('protocol')}&port=${value('port')}&request=${request}&tries=${value('tries')}`,
  );
  if (!Number.isInteger(tries))
    return httpError(
      400,
      `tries parameter is invalid. strconv.Atoi: parsing "${value('tries')}": invalid syntax`,
    );
  if (request === '') return httpError(400, 'request parameter not specified. <nil>');
  const dialer = DIALERS[value('protocol').toLowerCase()];
  if (!dialer) return httpError(400, `unsupported protocol. ${value('protocol')}`);
  const port = Number(value('port'));
  try {
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new Error(`address ${value('port')}: invalid port`);
    const { address } = await lookup(value('host'));
    return await dialOften(tries, () => dialer(host, { address, port }, request));
  } catch (error) {
    return httpError(400, `host and/or port param are invalid. ${textOf(error)}`);
  }
}

async function dialOften(tries: number, attempt: () => Promise<string>): Promise<Reply> {
  const responses: string[] = [];
  const errors: string[] = [];
  let last = '';
  for (let i = 0; i < tries; i++)
    try {
      last = await attempt();
      responses.push(last);
    } catch (error) {
      last = '';
      errors.push(textOf(error));
    }
  return json({
    ...(last === '' ? {} : { responses }),
    ...(errors.length === 0 ? {} : { errors }),
  });
}
