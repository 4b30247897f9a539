import type { FieldError, FieldPath } from '@orrery/apimachinery';
import { forbidden, invalid, isHttpHeaderName, notSupported, required } from '@orrery/apimachinery';
import type {
  Container,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  PodSpec,
  Probe,
} from '../../../types.js';
import { nonNegative } from '../../../meta/fields.js';
import { given, when } from '../../../meta/findings.js';
import { eachOf, list } from '../../../meta/list.js';
import { portName, portNumber } from '../../../meta/names.js';
import { STOP_SIGNALS } from '../container/stop-signals.js';

/** A port by number or by the name of a container port. */
export function validatePortNumberOrName(
  port: number | string | undefined,
  path: FieldPath,
): FieldError[] {
  const findings = typeof port === 'string' ? portName(port) : portNumber(port);
  return findings.map((message) => invalid(path, port ?? 0, message));
}

const SCHEMES = ['HTTP', 'HTTPS'];

const validateHttpGet = (action: HTTPGetAction, path: FieldPath): FieldError[] => [
  ...when(!action.path, required(path.child('path'))),
  ...validatePortNumberOrName(action.port, path.child('port')),
  ...when(
    !SCHEMES.includes(String(action.scheme)),
    notSupported(path.child('scheme'), action.scheme ?? '', SCHEMES),
  ),
  ...eachOf(action.httpHeaders, ({ name }) =>
    isHttpHeaderName(String(name ?? '')).map((message) =>
      invalid(path.child('httpHeaders'), name ?? '', message),
    ),
  ),
];

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> &
  Pick<LifecycleHandler, 'sleep'>;

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

function validateSleep(seconds: number, grace: number | undefined, path: FieldPath): FieldError[] {
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
  const text = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
  return [invalid(path, seconds, text)];
}

/** k8s pkg/apis/core/validation/validation.go:validateHandler: the first kind counts, others are refused. */
function validateHandler(
  handler: Handler,
  grace: number | undefined,
  path: FieldPath,
): FieldError[] {
  const [first, ...others] = HANDLERS.filter((name) => Boolean(handler[name]));
  if (!first) return [required(path, 'must specify a handler type')];
  const { exec, httpGet, tcpSocket, grpc, sleep } = { ...handler };
  const only = <T>(name: (typeof HANDLERS)[number], value: T | undefined): T | undefined =>
    name === first ? value : undefined;
  return [
    ...given(only('exec', exec), ({ command }) =>
      when(list(command).length === 0, required(path.child('exec', 'command'))),
    ),
    ...given(only('httpGet', httpGet), (action) => validateHttpGet(action, path.child('httpGet'))),
    ...given(only('tcpSocket', tcpSocket), ({ port }) =>
      validatePortNumberOrName(port, path.child('tcpSocket', 'port')),
    ),
    ...given(only('grpc', grpc), ({ port }) =>
      validatePortNumberOrName(port, path.child('grpc', 'port')),
    ),
    ...given(only('sleep', sleep), ({ seconds }) =>
      validateSleep(seconds, grace, path.child('sleep')),
    ),
    ...others.map((name) =>
      forbidden(path.child(name), 'may not specify more than 1 handler type'),
    ),
  ];
}

function validateProbe(
  probe: Probe | undefined,
  grace: number | undefined,
  path: FieldPath,
): FieldError[] {
  return given(probe, (each) => [
    ...validateHandler(each, grace, path),
    ...nonNegative(each.initialDelaySeconds, path.child('initialDelaySeconds')),
    ...nonNegative(each.timeoutSeconds, path.child('timeoutSeconds')),
    ...nonNegative(each.periodSeconds, path.child('periodSeconds')),
    ...nonNegative(each.successThreshold, path.child('successThreshold')),
    ...nonNegative(each.failureThreshold, path.child('failureThreshold')),
    ...given(each.terminationGracePeriodSeconds, (seconds) =>
      when(
        seconds <= 0,
        invalid(path.child('terminationGracePeriodSeconds'), seconds, 'must be greater than 0'),
      ),
    ),
  ]);
}

const successOnce = (probe: Probe | undefined, path: FieldPath): FieldError[] =>
  given(probe, ({ successThreshold = 0 }) =>
    when(
      successThreshold !== 1,
      invalid(path.child('successThreshold'), successThreshold, 'must be 1'),
    ),
  );

const WINDOWS_SIGNALS = ['SIGKILL', 'SIGTERM'];

function validateStopSignal(signal: string, os: PodSpec['os'], path: FieldPath): FieldError[] {
  if (!os) return [forbidden(path, 'may not be set for containers with empty `spec.os.name`')];
  if (os.name !== 'linux' && os.name !== 'windows') return [];
  const legal = os.name === 'windows' ? WINDOWS_SIGNALS : STOP_SIGNALS;
  return when(!legal.includes(signal), notSupported(path, signal, legal));
}

function validateLifecycle(
  lifecycle: Lifecycle,
  spec: Pick<PodSpec, 'os' | 'terminationGracePeriodSeconds'>,
  path: FieldPath,
): FieldError[] {
  const grace = spec.terminationGracePeriodSeconds;
  return [
    ...given(lifecycle.postStart, (each) => validateHandler(each, grace, path.child('postStart'))),
    ...given(lifecycle.preStop, (each) => validateHandler(each, grace, path.child('preStop'))),
    ...given(lifecycle.stopSignal, (each) =>
      validateStopSignal(each, spec.os, path.child('stopSignal')),
    ),
  ];
}

/** Probes and lifecycle hooks of one container. */
export function validateProbesAndHooks(
  container: Container,
  spec: Pick<PodSpec, 'os' | 'terminationGracePeriodSeconds'>,
  path: FieldPath,
): FieldError[] {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  const grace = spec.terminationGracePeriodSeconds;
  const readiness = path.child('readinessProbe');
  return [
    ...given(lifecycle, (each) => validateLifecycle(each, spec, path.child('lifecycle'))),
    ...validateProbe(livenessProbe, grace, path.child('livenessProbe')),
    ...successOnce(livenessProbe, path.child('livenessProbe')),
    ...validateProbe(readinessProbe, grace, readiness),
    ...given(readinessProbe?.terminationGracePeriodSeconds, (seconds) => [
      invalid(
        readiness.child('terminationGracePeriodSeconds'),
        seconds,
        'must not be set for readinessProbes',
      ),
    ]),
    ...validateProbe(startupProbe, grace, path.child('startupProbe')),
    ...successOnce(startupProbe, path.child('startupProbe')),
  ];
}
