import { parseAddress } from './address.js';
import { cidrsOf } from './blocks.js';
import { PolicyEvaluator, matchesPort } from './evaluator.js';
import type { FlowRule, PodIsolation, PolicySet } from './policy-set.js';

/** The chain that the caller jumps to from INPUT, before anything else. */
export const SERVICE_CHAIN = 'ORRERY-SERVICES';

/** One address of a Service, and who may answer there. */
export interface ServiceFrontend {
  readonly address: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly backends: readonly { readonly address: string; readonly port: number }[];
}

/** What policies mean for the clients of one frontend. */
class FrontendRules {
  private readonly admissions: readonly (readonly FlowRule[] | undefined)[];

  constructor(
    private readonly set: PolicySet,
    private readonly frontend: ServiceFrontend,
    private readonly family: 4 | 6,
    private readonly permits: PolicyEvaluator['permits'],
    isolated: ReadonlyMap<string, PodIsolation>,
  ) {
    const { protocol } = frontend;
    this.admissions = frontend.backends.map(({ address, port }) =>
      isolated
        .get(address)
        ?.ingress?.flatMap((place) => set.rules[place] ?? [])
        .filter(
          ({ ports }) => !ports || ports.some((range) => matchesPort(range, { protocol, port })),
        ),
    );
  }

  /** Whether a client that no rule names is refused by every backend. */
  private get isClosed(): boolean {
    return this.admissions.every((rules) => rules?.every((rule) => rule.addresses ?? rule.blocks));
  }

  private reaches(source: string): boolean {
    const { backends, protocol } = this.frontend;
    return backends.some(({ address, port }) => this.permits({ source, address, port, protocol }));
  }

  lines(): string[] {
    const { address, port, protocol, backends } = this.frontend;
    const isOwn = (text: string): boolean => parseAddress(text)?.family === this.family;
    if (backends.length === 0 || !isOwn(address)) return [];
    const name = protocol.toLowerCase();
    const line = (source: string, verdict: string): string =>
      `-A ${SERVICE_CHAIN} ${source}-d ${address} -p ${name} -m ${name} --dport ${port} -j ${verdict}`;
    const silenced = this.set.pods.flatMap((pod) =>
      pod.egress ? pod.addresses.filter(isOwn) : [],
    );
    const drops = silenced
      .filter((source) => !this.reaches(source))
      .map((source) => line(`-s ${source} `, 'DROP'));
    if (!this.isClosed) return drops;
    const rules = this.admissions.flatMap((each) => each ?? []);
    const named = [
      ...backends.map((one) => one.address),
      ...rules.flatMap((rule) => rule.addresses ?? []),
    ];
    const blocks = rules.flatMap((rule) =>
      (rule.blocks ?? []).flatMap((block) => cidrsOf(block, this.family)),
    );
    const admitted = [
      ...named.filter((source) => isOwn(source) && this.reaches(source)),
      ...blocks,
    ];
    return [
      ...drops,
      ...[...new Set(admitted)].map((source) => line(`-s ${source} `, 'RETURN')),
      line('', 'DROP'),
    ];
  }
}

/**
 * Rules for clients that every backend of a frontend refuses. The relay that serves the frontend would refuse them, too,
 * but only after the kernel has completed their connection.
 */
export function renderServiceFilter(
  set: PolicySet,
  frontends: readonly ServiceFrontend[],
  family: 4 | 6,
): string[] {
  if (set.pods.length === 0) return [];
  const { permits } = new PolicyEvaluator(set);
  const isolated = new Map(
    set.pods.flatMap((pod) => pod.addresses.map((one) => [one, pod] as const)),
  );
  return frontends.flatMap((frontend) =>
    new FrontendRules(set, frontend, family, permits, isolated).lines(),
  );
}
