import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, required } from '@orrery/apimachinery';
import type { Container, HTTPGetAction, LifecycleHandler, Probe } from '../../../types.js';
import { nonNegative, oneOf } from '../../../meta/fields.js';
import { list } from '../../../meta/list.js';
import { portName, portNumber } from '../../../meta/names.js';

/** A port by number or by the name of a container port. */
export function validatePortNumberOrName(
  port: number | string | undefined,
  path: FieldPath,
): FieldError[] {
  const findings = typeof port === 'string' ? portName(port) : portNumber(port);
  return findings.map((message) => invalid(path, port ?? 0, message));
}

function validateHttpGet(action: HTTPGetAction, path: FieldPath): FieldError[] {
  return [
    ...(action.path ? [] : [required(path.child('path'))]),
    ...validatePortNumberOrName(action.port, path.child('port')),
    ...oneOf(action.scheme, ['HTTP', 'HTTPS'], path.child('scheme')),
    ...list(action.httpHeaders).flatMap((header, i) =>
      /^[-A-Za-z0-9]+$/.test(String(header.name ?? ''))
        ? []
        : [
            invalid(
              path.child('httpHeaders').index(i).child('name'),
              header.name ?? '',
              "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
            ),
          ],
    ),
  ];
}

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> &
  Pick<LifecycleHandler, 'sleep'>;

function validateHandler(handler: Handler, path: FieldPath): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const findings: FieldError[] = [];
  const given = [exec, httpGet, tcpSocket, grpc, sleep].filter(Boolean).length;
  if (given === 0) return [required(path, 'must specify a handler type')];
  if (given > 1) findings.push(forbidden(path, 'may not specify more than 1 handler type'));
  if (exec && list(exec.command).length === 0) {
    findings.push(required(path.child('exec', 'command')));
  }
  if (httpGet) findings.push(...validateHttpGet(httpGet, path.child('httpGet')));
  if (tcpSocket) {
    findings.push(...validatePortNumberOrName(tcpSocket.port, path.child('tcpSocket', 'port')));
  }
  if (grpc) findings.push(...validatePortNumberOrName(grpc.port, path.child('grpc', 'port')));
  return findings;
}

function validateProbe(probe: Probe | undefined, path: FieldPath): FieldError[] {
  if (!probe) return [];
  return [
    ...validateHandler(probe, path),
    ...nonNegative(probe.initialDelaySeconds, path.child('initialDelaySeconds')),
    ...nonNegative(probe.timeoutSeconds, path.child('timeoutSeconds')),
    ...nonNegative(probe.periodSeconds, path.child('periodSeconds')),
    ...nonNegative(probe.successThreshold, path.child('successThreshold')),
    ...nonNegative(probe.failureThreshold, path.child('failureThreshold')),
    ...(typeof probe.terminationGracePeriodSeconds === 'number' &&
    probe.terminationGracePeriodSeconds <= 0
      ? [
          invalid(
            path.child('terminationGracePeriodSeconds'),
            probe.terminationGracePeriodSeconds,
            'must be greater than 0',
          ),
        ]
      : []),
  ];
}

const successOnce = (probe: Probe | undefined, path: FieldPath): FieldError[] =>
  probe && probe.successThreshold !== undefined && probe.successThreshold !== 1
    ? [invalid(path.child('successThreshold'), probe.successThreshold, 'must be 1')]
    : [];

/** Probes and lifecycle hooks of one container. */
export function validateProbesAndHooks(container: Container, path: FieldPath): FieldError[] {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  return [
    ...(lifecycle?.postStart
      ? validateHandler(lifecycle.postStart, path.child('lifecycle', 'postStart'))
      : []),
    ...(lifecycle?.preStop
      ? validateHandler(lifecycle.preStop, path.child('lifecycle', 'preStop'))
      : []),
    ...validateProbe(livenessProbe, path.child('livenessProbe')),
    ...successOnce(livenessProbe, path.child('livenessProbe')),
    ...validateProbe(readinessProbe, path.child('readinessProbe')),
    ...(readinessProbe?.terminationGracePeriodSeconds === undefined
      ? []
      : [
          invalid(
            path.child('readinessProbe', 'terminationGracePeriodSeconds'),
            readinessProbe.terminationGracePeriodSeconds,
            'must not be set for readinessProbes',
          ),
        ]),
    ...validateProbe(startupProbe, path.child('startupProbe')),
    ...successOnce(startupProbe, path.child('startupProbe')),
  ];
}
