import { describe, expect, it } from '@jest/globals';
import { podOf, runningOf, usageOf } from '../../../test/builders.js';
import type { Pressure } from '@orrery/component';
import type { ContainerUsage, RuntimeMetric } from '../../runtime/runtime.js';
import { cadvisorMetrics } from './cadvisor.js';
import type { CadvisorInput } from './cadvisor.js';
import { summaryOf } from './stats.js';

const MACHINE = {
  cpus: 2,
  memoryBytes: 100,
  availableMemoryBytes: 50,
  ephemeralStorageBytes: 1000,
  availableStorageBytes: 500,
  hostname: 'n',
  architecture: 'amd64',
  kernelVersion: '6.1',
  osImage: 'Debian',
  machineId: 'm',
  bootId: 'b',
};
const waits = (total: number): Pressure['cpu'] => {
  const data = { total, avg10: 1, avg60: 0, avg300: 0 };
  return { some: data, full: { ...data, total: total / 2 } };
};
const PRESSURE: Pressure = { cpu: waits(4e9), memory: waits(6e9), io: waits(8e9) };
const pod = podOf('p');
const runtimePod = {
  uid: 'uid-p',
  namespace: 'default',
  name: 'p',
  sandboxes: [{ id: 's', attempt: 0, ready: true, createdAtMs: 0, ips: [], hostNetwork: false }],
  containers: [runningOf('c', { id: 'id-p', image: 'nginx:1' })],
};
const measured = (extra: Partial<RuntimeMetric>): RuntimeMetric => ({
  name: 'container_threads',
  help: 'Number of threads running inside the container',
  type: 'gauge',
  sandboxId: 's',
  containerId: 'id-p',
  labels: {},
  value: 3,
  timestampMs: 7,
  ...extra,
});
const whole = {
  podUid: 'uid-p',
  podName: 'p',
  podNamespace: 'default',
  timestampMs: 9,
  processCount: 4,
  interfaces: [{ name: 'eth0', rxBytes: 1, rxErrors: 2, txBytes: 3, txErrors: 4 }],
};
const inputOf = (extra: Partial<CadvisorInput>, usage: Partial<ContainerUsage> = {}) => ({
  usage: [usageOf(pod, 10, usage)],
  podUsage: [whole],
  metrics: [],
  pods: [runtimePod],
  machine: MACHINE,
  topology: { sockets: 1, physicalCores: 2, swapBytes: 0 },
  ...extra,
});
const linesOf = (input: CadvisorInput, name: string): string[] =>
  cadvisorMetrics(input)
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`));

const CONTAINER =
  'container="c",id="/kubepods/poduid-p/id-p",image="nginx:1",name="id-p",namespace="default",pod="p"';
const POD = 'container="",id="/kubepods/poduid-p",image="",name="",namespace="default",pod="p"';

describe('cadvisorMetrics()', () => {
  it('passes on what the runtime measures of containers and pods', () => {
    const metrics = [
      measured({}),
      measured({
        name: 'container_network_receive_bytes_total',
        type: 'counter',
        containerId: '',
        labels: { interface: 'eth0' },
        value: 12,
      }),
    ];
    expect(linesOf(inputOf({ metrics }), 'container_threads')).toEqual([
      `container_threads{${CONTAINER}} 3 7`,
    ]);
    expect(linesOf(inputOf({ metrics }), 'container_network_receive_bytes_total')).toEqual([
      `container_network_receive_bytes_total{${POD},interface="eth0"} 12 7`,
    ]);
  });

  it.each([
    { name: 'a pod that is gone', extra: { sandboxId: 'gone' } },
    { name: 'a container that is gone', extra: { containerId: 'gone' } },
  ])('says nothing of $name', ({ extra }) => {
    expect(linesOf(inputOf({ metrics: [measured(extra)] }), 'container_threads')).toEqual([]);
  });

  it('tells each name once, with what is more exact', () => {
    const metrics = [measured({ name: 'container_memory_rss', value: 99 })];
    expect(linesOf(inputOf({ metrics }), 'container_memory_rss')).toEqual([
      `container_memory_rss{${CONTAINER}} 10 0`,
    ]);
  });

  it('has the pressure of containers and pods where they have a control group', () => {
    const name = 'container_pressure_cpu_waiting_seconds_total';
    expect(linesOf(inputOf({}), name)).toEqual([]);
    const input = inputOf({ podUsage: [{ ...whole, pressure: PRESSURE }] }, { pressure: PRESSURE });
    expect(linesOf(input, name)).toEqual([`${name}{${POD}} 4 9`, `${name}{${CONTAINER}} 4 0`]);
    expect(linesOf(input, 'container_pressure_io_stalled_seconds_total')).toHaveLength(2);
  });

  it('describes the machine, and leaves out what it does not tell', () => {
    const labels = 'boot_id="b",machine_id="m"';
    expect(linesOf(inputOf({}), 'machine_cpu_physical_cores')).toEqual([
      `machine_cpu_physical_cores{${labels}} 2`,
    ]);
    expect(linesOf(inputOf({ topology: {} }), 'machine_cpu_physical_cores')).toEqual([]);
    expect(linesOf(inputOf({}), 'cadvisor_version_info')).toHaveLength(1);
  });
});

describe('summaryOf()', () => {
  const of = (extra: Parameters<typeof inputOf>[0], usage: Partial<ContainerUsage> = {}) =>
    summaryOf({
      ...inputOf(extra, usage),
      nodeName: 'n',
      imageBytes: 0,
      startedAtMs: 0,
      nowMs: 0,
    }).pods[0];

  it('tells the network, processes and pressure of a pod', () => {
    const found = of({ podUsage: [{ ...whole, pressure: PRESSURE }] }, { pressure: PRESSURE });
    const psi = { full: { total: 2e9 }, some: { total: 4e9, avg10: 1 } };
    expect(found).toMatchObject({
      network: { name: 'eth0', rxBytes: 1, interfaces: [{ name: 'eth0', txErrors: 4 }] },
      process_stats: { process_count: 4 },
      cpu: { psi },
      io: { psi: { some: { total: 8e9 } } },
      containers: [{ cpu: { psi }, io: { psi: { some: { total: 8e9 } } } }],
    });
  });

  it('says nothing of a network and pressure that are not the pod’s', () => {
    const found = of({ podUsage: [{ ...whole, interfaces: [] }] });
    expect(Object.keys(found ?? {})).not.toEqual(expect.arrayContaining(['network']));
    expect(found?.['io']).toBeUndefined();
    expect(found?.['cpu']).not.toHaveProperty('psi');
  });
});
