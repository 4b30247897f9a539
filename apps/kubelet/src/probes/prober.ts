import { connect } from 'node:net';
import type { Container, HTTPGetAction, Pod, Probe } from '@orrery/api';
import { joinHostPort, reachablePort } from '@orrery/component';
import type { Runtime } from '../runtime/runtime.js';
import { checkGrpcHealth } from './grpc-health.js';
import { httpGetLocal } from './http-get.js';
import type { ProbeTarget } from './probe-worker.js';
import { resolvePort } from './resolve-port.js';

export interface ProbeResult {
  readonly passed: boolean;
  readonly output: string;
  /** It passed, with something to tell. */
  readonly warning?: boolean;
}

const fail = (output: string): ProbeResult => ({ passed: false, output });
const PASSED: ProbeResult = { passed: true, output: '' };

function dialTcp(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: reachablePort(port), timeout: timeoutMs });
    const end = (result: ProbeResult): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => {
      end(PASSED);
    });
    socket.once('timeout', () => {
      end(fail(`dial tcp ${joinHostPort(host, port)}: i/o timeout`));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const text = error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message;
      end(fail(`dial tcp ${joinHostPort(host, port)}: ${text}`));
    });
  });
}

async function getHttp(
  action: HTTPGetAction,
  host: string,
  container: Container,
  timeoutMs: number,
): Promise<ProbeResult> {
  const { scheme = 'HTTP', path = '/', httpHeaders = [] } = action;
  const port = resolvePort(action.port, container);
  const answer = await httpGetLocal(
    { scheme, host: action.host || host, port, path, headers: httpHeaders },
    timeoutMs,
  );
  const { code, body } = answer;
  if (code < 200 || code >= 400) return fail(`HTTP probe failed with statuscode: ${code}`);
  if (code < 300) return PASSED;
  // It leads to another host, which is not asked (k8s pkg/probe/http/http.go:DoHTTPProbe).
  const output = `Probe terminated redirects, Response body: ${body}`;
  return { passed: true, output, warning: true };
}

/** Performs one probe. */
export class Prober {
  constructor(private readonly runtime: Runtime) {}

  /** Never rejects: what cannot be probed has failed. */
  async probe(
    probe: Probe,
    container: Container,
    target: ProbeTarget,
    pod: Pod,
  ): Promise<ProbeResult> {
    const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
    const host = pod.spec.hostNetwork ? (pod.status?.hostIP ?? target.podIp) : target.podIp;
    const { exec, httpGet: http, tcpSocket, grpc } = probe;
    try {
      if (exec) return await this.exec(exec.command ?? [], target, timeoutMs);
      if (http) return await getHttp(http, host, container, timeoutMs);
      if (tcpSocket)
        return await dialTcp(
          tcpSocket.host || host,
          resolvePort(tcpSocket.port, container),
          timeoutMs,
        );
      if (!grpc) return PASSED;
      const answer = await checkGrpcHealth(
        { host, port: reachablePort(grpc.port), service: grpc.service ?? '' },
        timeoutMs,
      );
      return answer === '' ? PASSED : fail(answer);
    } catch (error) {
      return fail(error instanceof Error ? error.message : String(error));
    }
  }

  private async exec(
    command: readonly string[],
    target: ProbeTarget,
    timeoutMs: number,
  ): Promise<ProbeResult> {
    const { exitCode, stdout, stderr } = await this.runtime.execSync(
      target.containerId,
      command,
      timeoutMs,
    );
    return { passed: exitCode === 0, output: `${stdout}${stderr}`.slice(0, 10_240) };
  }
}
